import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { keptAsideBytesMax, keptAsideFilesMax, WalDirectory } from "./wal_directory.ts";
import { temporaryDirectory } from "./wal_fixture.ts";

function put(root: string, path: string): string {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, "x");
  return full;
}

const uuid = (n: number) => `${String(n).padStart(8, "0")}-0000-4000-8000-000000000000`;
const name = (sequence: number, n = sequence) => `${String(sequence).padStart(8, "0")}-${uuid(n)}.wal`;

test("WalDirectory.found() gives a shard its own segments last, and those of shards that are no more", () => {
  using directory = temporaryDirectory();
  for (const path of [
    `shard-0/a/${name(2)}`,
    `shard-0/a/${name(10)}`,
    `shard-2/a/${name(7)}`,
    `shard-1/a/${name(1)}`,
    `shard-0/b/${name(3)}`,
  ]) {
    put(directory.path, path);
  }
  const found = (shard: number, shards: number) =>
    new WalDirectory(directory.path, shard, shards, false)
      .found()
      .map(({ path, own, identity }) => [
        path.slice(directory.path.length + 1, -uuid(0).length - 5),
        own,
        identity.sequence,
      ]);
  expect(found(0, 2)).toEqual([
    ["shard-2/a/00000007", false, 7],
    ["shard-0/a/00000002", true, 2],
    ["shard-0/a/00000010", true, 10],
    ["shard-0/b/00000003", true, 3],
  ]);
  expect(found(1, 2)).toEqual([["shard-1/a/00000001", true, 1]]);
  expect(found(2, 3).length).toBe(1);
});

test("WalDirectory.found() passes over whatever is no segment", () => {
  using directory = temporaryDirectory();
  expect(new WalDirectory(join(directory.path, "missing"), 0, 1, false).found()).toEqual([]);
  for (const path of [
    `shard-0/a/${name(1)}.cut`,
    `shard-0/a/${name(1)}.corrupt`,
    "shard-0/a/readme.wal",
    "shard-0/a/00000001-xyz.wal",
    `shard-0/bad tenant/${name(1)}`,
    `shard-0/${name(1)}`,
    `shard-x/a/${name(1)}`,
    `a/${name(1)}`,
    "file",
  ]) {
    put(directory.path, path);
  }
  expect(new WalDirectory(directory.path, 0, 1, false).found()).toEqual([]);
});

test("WalDirectory.create() goes on counting where the last process stopped", async () => {
  using directory = temporaryDirectory();
  put(directory.path, `shard-0/a/${name(41)}`);
  const wal = new WalDirectory(directory.path, 0, 1, true);
  wal.found();
  const [a, b] = [wal.create("a", 1), wal.create("b", 1)];
  expect([a.identity.sequence, b.identity.sequence]).toEqual([42, 1]);
  expect(a.path).toBe(join(directory.path, "shard-0", "a", `00000042-${a.identity.uuid}.wal`));
  await Promise.all([a.close(), b.close()]);
});

test("WalDirectory.create() refuses names that lead elsewhere", () => {
  using directory = temporaryDirectory();
  const wal = new WalDirectory(directory.path, 0, 1, false);
  for (const tenant of ["", ".", "..", "a/b", "../a", "a\0", "a b", "ä", "a".repeat(151)]) {
    expect(() => wal.create(tenant, 1)).toThrow("no directory name");
  }
  expect(readdirSync(directory.path)).toEqual([]);
});

test("WalDirectory.plan() gives back what setPlan() wrote, and nothing where that is broken", () => {
  using directory = temporaryDirectory();
  const wal = new WalDirectory(directory.path, 0, 1, false);
  const path = put(directory.path, `shard-0/a/${name(1)}`);
  expect(wal.plan(path)).toBeNull();
  wal.setPlan(path, { from: 3, to: null });
  expect(wal.plan(path)).toEqual({ from: 3, to: null });
  wal.setPlan(path, { from: 3, to: 9 });
  expect(wal.plan(path)).toEqual({ from: 3, to: 9 });
  for (const text of ["", "{", "{}", '{"from":"1","to":null}', '{"from":1}']) {
    writeFileSync(`${path}.cut`, text);
    expect(wal.plan(path)).toBeNull();
  }
});

test("WalDirectory.remove() takes the plan with it, and the directories of shards that are no more", () => {
  using directory = temporaryDirectory();
  const wal = new WalDirectory(directory.path, 0, 1, false);
  const own = put(directory.path, `shard-0/a/${name(1)}`);
  const other = put(directory.path, `shard-3/a/${name(2)}`);
  const kept = put(directory.path, `shard-4/a/${name(3)}`);
  for (const path of [own, other, kept]) wal.setPlan(path, { from: 1, to: null });
  wal.keepAside(kept);
  for (const path of [own, other, kept]) wal.remove(path);
  const left = readdirSync(directory.path, { recursive: true }).map(String).sort();
  expect(left).toEqual(["shard-0", "shard-0/a", "shard-4", "shard-4/a", `shard-4/a/${name(3)}.corrupt`]);
});

test("WalDirectory.keepAside() keeps a bounded number of segments, the newest", () => {
  using directory = temporaryDirectory();
  const wal = new WalDirectory(directory.path, 0, 1, false);
  const aside = () =>
    readdirSync(directory.path, { recursive: true })
      .map(String)
      .filter((each) => each.endsWith(".corrupt"));
  for (let i = 1; i <= keptAsideFilesMax + 4; i++) {
    const path = put(directory.path, `shard-0/tenant-${i % 3}/${name(i)}`);
    utimesSync(path, i, i);
    wal.keepAside(path);
    wal.keepAside(path);
    wal.remove(path);
    expect(existsSync(`${path}.corrupt`)).toBe(true);
  }
  expect(aside().length).toBe(keptAsideFilesMax);
  expect(aside().some((each) => each.includes(name(4)))).toBe(false);
  expect(aside().some((each) => each.includes(name(5)))).toBe(true);
});

test("WalDirectory.keepAside() keeps a bounded number of bytes, and always the newest", () => {
  using directory = temporaryDirectory();
  const wal = new WalDirectory(directory.path, 0, 1, false);
  const sizes = [1000, keptAsideBytesMax - 500, keptAsideBytesMax + 1];
  const left = sizes.map((size, i) => {
    const path = put(directory.path, `shard-0/a/${name(i + 1)}`);
    truncateSync(path, size); // sparse: takes no room
    utimesSync(path, i + 1, i + 1);
    wal.keepAside(path);
    return readdirSync(dirname(path)).filter((each) => each.endsWith(".corrupt"));
  });
  expect(left).toEqual([[`${name(1)}.corrupt`], [`${name(2)}.corrupt`], [`${name(3)}.corrupt`]]);
});
