import { describe, expect, test } from "bun:test";
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { createdMs, identity, payload, readBack, temporaryDirectory, writeSegment } from "./wal_fixture.ts";
import { WalReader } from "./wal_reader.ts";
import { RecordCodec, recordHeaderBytes, segmentHeaderBytes } from "./wal_record.ts";
import { WalSegment } from "./wal_segment.ts";

/** Lengths of the records of the segment that is damaged in these tests. */
const lengths = [40, 0, 300, 77];
const payloads = lengths.map(payload);
/** Where each record begins, and where the last one ends: worked out from the layout. */
const starts = [segmentHeaderBytes];
for (const length of lengths) starts.push(starts.at(-1)! + recordHeaderBytes + length);

describe("WalReader", () => {
  test("gives back what was appended, in order", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "a.wal");
    await writeSegment(path, payloads);
    expect(starts).toEqual([256, 328, 360, 692, 801]);
    expect(readBack(path)).toEqual({
      payloads,
      numbers: [0, 1, 2, 3],
      state: { createdMs, bytes: 801, records: 4, tornBytes: 0, corruptions: 0, corruptBytes: 0 },
    });
    expect(readFileSync(path).length).toBe(801);
  });

  test("gives back any records in any groups, over several openings", async () => {
    const groups = fc.array(fc.array(fc.uint8Array({ maxLength: 3000 }), { minLength: 1, maxLength: 8 }), {
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(groups, async (groups) => {
        using directory = temporaryDirectory();
        const path = join(directory.path, "a.wal");
        let segment = WalSegment.create(path, identity, createdMs, false);
        for (const [i, group] of groups.entries()) {
          segment.append(group);
          if (i % 3 !== 2) continue;
          const { bytes, records } = segment;
          await segment.close();
          segment = WalSegment.reopen(path, identity, createdMs, bytes, records);
        }
        await segment.close();
        expect(readBack(path).payloads).toEqual(groups.flat());
        expect(readBack(path).state).toMatchObject({ bytes: segment.bytes, tornBytes: 0, corruptions: 0 });
      }),
      { numRuns: 60 },
    );
  });

  test("reads records longer than its window, and short ones around them", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "a.wal");
    const long = [payload(10, 1), payload(3_000_001, 2), payload(5, 3), payload(1 << 20, 4), payload(70, 5)];
    await writeSegment(path, long);
    const read = readBack(path);
    expect(read.payloads.map((each) => Buffer.from(each).equals(long[read.payloads.indexOf(each)]!))).toEqual(
      [true, true, true, true, true],
    );
    expect(read.state.corruptions).toBe(0);
  });

  test("stops at the last whole record, wherever the last one is torn", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "a.wal");
    await writeSegment(path, payloads);
    const whole = readFileSync(path);
    for (let length = starts[3]! + 1; length < starts[4]!; length++) {
      writeFileSync(path, whole.subarray(0, length));
      const { numbers, state } = readBack(path);
      expect(numbers).toEqual([0, 1, 2]);
      expect(state).toMatchObject({ bytes: 692, records: 3, tornBytes: length - 692, corruptions: 0 });
    }
  });

  test("takes a tail of zeros for a torn one", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "a.wal");
    await writeSegment(path, payloads);
    appendFileSync(path, new Uint8Array(5000));
    expect(readBack(path).state).toMatchObject({ bytes: 801, tornBytes: 5000, corruptions: 0 });
  });

  test("takes an unfinished segment header for an empty segment", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "a.wal");
    for (const length of [0, 1, 255]) {
      await writeSegment(path, []);
      truncateSync(path, length);
      const { numbers, state } = readBack(path);
      expect(numbers).toEqual([]);
      expect(state).toMatchObject({ records: 0, tornBytes: length, corruptions: 0 });
      writeFileSync(path, "");
      await Bun.file(path).delete();
    }
  });

  test("loses only the record in which a byte is flipped", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "a.wal");
    await writeSegment(path, payloads);
    const whole = readFileSync(path);
    for (let at = segmentHeaderBytes; at < whole.length; at++) {
      const damaged = new Uint8Array(whole);
      damaged[at]! ^= 1 << (at % 8);
      writeFileSync(path, damaged);
      const hit = starts.findLastIndex((start) => start <= at);
      const { numbers, payloads: read, state } = readBack(path);
      expect(numbers).toEqual([0, 1, 2, 3].filter((number) => number !== hit));
      expect(read).toEqual(numbers.map((number) => payloads[number]!));
      expect(state.corruptions).toBe(1);
      expect(state.corruptBytes).toBe(starts[hit + 1]! - starts[hit]!);
      expect(state.tornBytes).toBe(0);
    }
  });

  test("reads all records behind a damaged segment header", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "a.wal");
    await writeSegment(path, payloads);
    const whole = readFileSync(path);
    for (const at of [0, 7, 8, 23, 30, 32, 40, 100, 255]) {
      const damaged = new Uint8Array(whole);
      damaged[at]! ^= 0x10;
      writeFileSync(path, damaged);
      const { payloads: read, state } = readBack(path);
      expect(read).toEqual(payloads);
      expect(state).toMatchObject({ corruptions: 1, records: 4 });
    }
  });

  test("finds the records behind a hole larger than its window", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "a.wal");
    const many = Array.from({ length: 60 }, (_, i) => payload(100_000, i));
    await writeSegment(path, many);
    const bytes = readFileSync(path);
    const start = (number: number) => segmentHeaderBytes + number * (100_000 + recordHeaderBytes);
    // From the middle of the header of record 3 to the middle of record 40.
    bytes.fill(0xf7, start(3) + 10, start(40) + 50_000);
    writeFileSync(path, bytes);
    const { numbers, state } = readBack(path);
    expect(numbers).toEqual([0, 1, 2, ...Array.from({ length: 19 }, (_, i) => 41 + i)]);
    expect(state).toMatchObject({ corruptions: 1, corruptBytes: start(41) - start(3) });
  });

  test("does not take a record inside a payload for one of the segment's", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "a.wal");
    // What a client could send if it knew the format: a record with the number that comes next, but not the UUID.
    const forged = new Uint8Array(recordHeaderBytes + 20);
    new RecordCodec("99999999-9999-4999-8999-999999999999").print(forged, 1, payload(20, 9));
    forged.set(payload(20, 9), recordHeaderBytes);
    await writeSegment(path, [forged, payload(8, 1)]);
    const damaged = readFileSync(path);
    damaged[segmentHeaderBytes + 4]! ^= 1;
    writeFileSync(path, damaged);
    expect(readBack(path)).toMatchObject({ numbers: [1], payloads: [payload(8, 1)] });
  });

  test("never fails, loops or makes records up on random bytes", () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "a.wal");
    const bytes = fc.uint8Array({ maxLength: 4000 });
    fc.assert(
      fc.property(bytes, fc.boolean(), (bytes, withMagic) => {
        if (withMagic) for (let i = 0; i + 4 < bytes.length; i += 97) bytes.set([0xf7, 0x52, 0x57, 0x52], i);
        writeFileSync(path, bytes);
        const { numbers, state } = readBack(path);
        expect(numbers).toEqual([]);
        expect(state.tornBytes + state.corruptBytes).toBe(bytes.length);
      }),
      { numRuns: 300, seed: 7 },
    );
  });

  test("keeps what is whole when a valid segment is damaged at random", async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, "a.wal");
    await writeSegment(path, payloads);
    const whole = readFileSync(path);
    const damage = fc.record({
      at: fc.nat(whole.length - 1),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 200 }),
      cut: fc.nat(whole.length),
    });
    fc.assert(
      fc.property(damage, ({ at, bytes, cut }) => {
        const damaged = new Uint8Array(whole);
        const patch = bytes.subarray(0, whole.length - at);
        damaged.set(patch, at);
        const length = Math.max(cut, segmentHeaderBytes + 1);
        writeFileSync(path, damaged.subarray(0, length));
        const { numbers, payloads: read } = readBack(path);
        for (const [i, number] of numbers.entries()) expect(read[i]).toEqual(payloads[number]!);
        for (let number = 0; number < lengths.length; number++) {
          const from = starts[number]!;
          const to = starts[number + 1]!;
          const untouched =
            to <= length && Buffer.from(damaged.subarray(from, to)).equals(whole.subarray(from, to));
          if (untouched) expect(numbers).toContain(number);
        }
      }),
      { numRuns: 300, seed: 11 },
    );
  });
});

test("WalReader reports a file that can't be opened", () => {
  expect(() => new WalReader("/nowhere/a.wal", identity)).toThrow("ENOENT");
});
