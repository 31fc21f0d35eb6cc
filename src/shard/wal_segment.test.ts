import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createdMs, FaultyFiles, identity, payload, readBack, temporaryDirectory } from "./wal_fixture.ts";
import { recordHeaderBytes, segmentHeaderBytes } from "./wal_record.ts";
import { WalError, WalSegment } from "./wal_segment.ts";

const disk = Object.assign(new Error("EIO: i/o error"), { code: "EIO" });

describe("WalSegment.append()", () => {
  test("writes a group at once and counts what is not synced", async () => {
    using directory = temporaryDirectory();
    const files = new FaultyFiles();
    const segment = WalSegment.create(join(directory.path, "a.wal"), identity, createdMs, false, files);
    files.calls = [];
    segment.append([payload(10, 1), payload(20, 2), payload(30, 3)]);
    expect(files.calls).toEqual(["write"]);
    expect(segment.records).toBe(3);
    expect(segment.unsyncedBytes).toBe(60 + 3 * recordHeaderBytes);
    expect(segment.bytes).toBe(segmentHeaderBytes + segment.unsyncedBytes);
    expect(segment.unsyncedSince).toBeGreaterThan(0);
    await segment.syncLater();
    expect(segment.unsyncedBytes).toBe(0);
    expect(segment.unsyncedSince).toBe(0);
    await segment.close();
  });

  test("writes on where the disk took only a part", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "a.wal");
    const files = new FaultyFiles();
    files.writeBytesMax = 7;
    const segment = WalSegment.create(path, identity, createdMs, false, files);
    const payloads = [payload(10, 1), payload(0, 2), payload(33, 3)];
    segment.append(payloads);
    await segment.close();
    expect(readBack(path).payloads).toEqual(payloads);
  });

  test("appends more records than one system call takes", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "a.wal");
    const segment = WalSegment.create(path, identity, createdMs, false);
    const payloads = Array.from({ length: 1500 }, (_, i) => payload(i % 50, i));
    segment.append(payloads);
    await segment.close();
    expect(readBack(path).payloads).toEqual(payloads);
  });

  test("leaves the segment as it was when the disk fills at any byte, and goes on when there is room", async () => {
    using directory = temporaryDirectory();
    for (let room = 0; room < 2 * recordHeaderBytes + 30; room++) {
      const path = join(directory.path, `${room}.wal`);
      const files = new FaultyFiles();
      const segment = WalSegment.create(path, identity, createdMs, false, files);
      segment.append([payload(5, 1)]);
      files.roomBytes = room;
      expect(() => segment.append([payload(10, 2), payload(20, 3)])).toThrow(WalError);
      expect(segment.broken).toBe(false);
      expect(readBack(path)).toMatchObject({ numbers: [0], state: { tornBytes: 0, corruptions: 0 } });
      files.roomBytes = 1e9;
      segment.append([payload(7, 4)]);
      expect(readBack(path).payloads).toEqual([payload(5, 1), payload(7, 4)]);
      await segment.close();
    }
  });

  test("breaks when a failed write can't be undone; what was there before is read back", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "a.wal");
    const files = new FaultyFiles();
    const segment = WalSegment.create(path, identity, createdMs, false, files);
    segment.append([payload(5, 1)]);
    files.roomBytes = 40;
    files.faults.truncate = disk;
    expect(() => segment.append([payload(100, 2)])).toThrow("ENOSPC");
    expect(segment.broken).toBe(true);
    files.faults = {};
    files.roomBytes = 1e9;
    expect(() => segment.append([payload(1, 3)])).toThrow(WalError);
    await segment.close();
    expect(readBack(path)).toMatchObject({ numbers: [0], state: { tornBytes: 40, corruptions: 0 } });
  });
});

describe("WalSegment.sync()", () => {
  test("breaks the segment when it fails, at once and in the background", async () => {
    using directory = temporaryDirectory();
    for (const name of ["sync", "syncLater"] as const) {
      const files = new FaultyFiles();
      const segment = WalSegment.create(join(directory.path, name), identity, createdMs, false, files);
      segment.append([payload(5, 1)]);
      files.faults[name] = disk;
      const failed = (async () => segment[name]())();
      expect(await failed.catch((error) => error)).toBeInstanceOf(WalError);
      expect(segment.broken).toBe(true);
      await segment.close();
    }
  });

  test("does nothing when there is nothing to sync", async () => {
    using directory = temporaryDirectory();
    const files = new FaultyFiles();
    const segment = WalSegment.create(join(directory.path, "a.wal"), identity, createdMs, false, files);
    files.calls = [];
    segment.sync();
    await segment.syncLater();
    expect(files.calls).toEqual([]);
    await segment.close();
  });
});

test("WalSegment.create() leaves no file behind when it fails", () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, "a.wal");
  const files = new FaultyFiles();
  files.roomBytes = 100;
  expect(() => WalSegment.create(path, identity, createdMs, true, files)).toThrow(WalError);
  expect(existsSync(path)).toBe(false);
  files.roomBytes = 1000;
  files.faults.syncDirectory = disk;
  expect(() => WalSegment.create(path, identity, createdMs, true, files)).toThrow("EIO");
  expect(existsSync(path)).toBe(false);
});

test("WalSegment.reopen() cuts a torn tail off and goes on behind it", async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, "a.wal");
  const files = new FaultyFiles();
  const segment = WalSegment.create(path, identity, createdMs, false, files);
  segment.append([payload(5, 1), payload(6, 2)]);
  files.roomBytes = 50;
  files.faults.truncate = disk;
  expect(() => segment.append([payload(100, 3)])).toThrow(WalError);
  await segment.close();
  const { bytes, records } = readBack(path).state;
  const again = WalSegment.reopen(path, identity, createdMs, bytes, records);
  again.append([payload(9, 4)]);
  await again.close();
  const read = readBack(path);
  expect(read.payloads).toEqual([payload(5, 1), payload(6, 2), payload(9, 4)]);
  expect(read.state).toMatchObject({ records: 3, tornBytes: 0, corruptions: 0 });
});
