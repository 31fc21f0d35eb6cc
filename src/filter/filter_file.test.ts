import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { blockMeta, numberOf } from "../store/block_list_fixture.ts";
import { log } from "../telemetry/log.ts";
import { FilterFile } from "./filter_file.ts";

const bytes = (n: number, length = 100) => new Uint8Array(length).fill(n);
const metas = (...numbers: number[]) => numbers.map((n) => blockMeta(n));
const MiB = 1 << 20;

describe("FilterFile", () => {
  let folder: string;
  let path: string;
  const lines: string[] = [];
  const loaded = (...numbers: number[]) =>
    [...new FilterFile(path, MiB).load(metas(...numbers))].map(([meta, found]) => [
      numberOf(meta),
      found[0],
      found.length,
    ]);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "filters-"));
    path = join(folder, "wal", "filters");
    lines.length = 0;
    log.configure({ sink: (line) => lines.push(line) });
  });
  afterEach(() => {
    log.configure({ sink: (line) => process.stderr.write(line) });
    rmSync(folder, { recursive: true });
  });
  const filled = (...numbers: number[]) => {
    const file = new FilterFile(path, MiB);
    file.load([]);
    for (const n of numbers) file.add(blockMeta(n), bytes(n));
    return file;
  };

  test("gives back after a restart what was added, of the blocks that are asked for", () => {
    filled(1, 2, 3);
    expect(loaded(3, 1, 9)).toEqual([
      [3, 3, 100],
      [1, 1, 100],
    ]);
    const again = new FilterFile(path, MiB);
    again.load([]);
    again.add(blockMeta(4), bytes(4));
    again.add(blockMeta(1), bytes(7, 50));
    expect(loaded(1, 2, 3, 4).map(([n, byte]) => [n, byte])).toEqual([
      [1, 7],
      [2, 2],
      [3, 3],
      [4, 4],
    ]);
  });

  test("drops what is behind damage, wherever that is, and goes on", () => {
    filled(1, 2, 3);
    const good = readFileSync(path);
    const entry = good.length / 3;
    for (let at = 0; at < good.length; at += 7) {
      const damaged = Buffer.from(good);
      damaged[at] = damaged[at]! ^ 0x10;
      writeFileSync(path, damaged);
      const whole = Math.floor(at / entry);
      expect(loaded(1, 2, 3).map(([n]) => n)).toEqual([1, 2, 3].slice(0, whole));
      expect(statSync(path).size).toBe(whole * entry);
      const file = new FilterFile(path, MiB);
      file.load([]);
      file.add(blockMeta(5), bytes(5));
      expect(loaded(5).map(([n]) => n)).toEqual([5]);
    }
    writeFileSync(path, good);
    truncateSync(path, good.length - 1);
    expect(loaded(1, 2, 3).map(([n]) => n)).toEqual([1, 2]);
    writeFileSync(path, "something else altogether, which is no list of filters");
    expect(loaded(1)).toEqual([]);
  });

  test("is written anew without the blocks that are gone, once they are more than half", () => {
    const file = new FilterFile(path, MiB);
    for (let n = 1; n <= 10; n++) file.add(blockMeta(n), bytes(n, 20_000));
    const before = statSync(path).size;
    file.retain(metas(1, 2, 3, 4, 5, 6));
    expect(statSync(path).size).toBe(before);
    file.retain(metas(5, 6));
    expect(statSync(path).size).toBe(before / 5);
    expect(file.bytes).toBe(before / 5);
    expect(existsSync(`${path}.part`)).toBe(false);
    file.add(blockMeta(11), bytes(11));
    expect(loaded(1, 5, 6, 11).map(([n]) => n)).toEqual([5, 6, 11]);
  });

  test("never grows beyond its limit", () => {
    const file = new FilterFile(path, 100_000);
    for (let n = 1; n <= 200; n++) file.add(blockMeta(n), bytes(n, 20_000));
    expect(statSync(path).size).toBeLessThanOrEqual(2.5 * 100_000 + MiB);
  });

  test("keeps nothing more where the disk is full, and says so once", () => {
    filled(1);
    let written = 0;
    const full = new FilterFile(path, MiB, () => {
      written++;
      throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    });
    full.load([]);
    full.add(blockMeta(2), bytes(2));
    full.add(blockMeta(3), bytes(3));
    full.retain([]);
    expect(written).toBe(1);
    expect(lines.length).toBe(1);
    expect(lines[0]).toContain("no space left on device");
    expect(loaded(1, 2).map(([n]) => n)).toEqual([1]);
  });
});
