// What every store does, as tests: run against each of them.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Store } from "./store.ts";
import { StoreError, StoreNotFound } from "./store_error.ts";

export interface OpenedStore {
  /** Empty. */
  store: Store;
  /** Another one on the same objects, as in another process. */
  other: Store;
  close(): Promise<void> | void;
}

/** Of the large object: more than a few parts of five mebibytes. */
const largeBytes = 18_000_001;
const pieceBytes = 700_001;

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array) => new TextDecoder().decode(value);

/** Bytes that differ from place to place. */
function pattern(length: number): Uint8Array {
  const made = new Uint8Array(length);
  for (let i = 0; i < length; i++) made[i] = (i * 31 + (i >>> 8) * 7 + (i >>> 16)) & 0xff;
  return made;
}

export function storeCases(name: string, open: () => Promise<OpenedStore> | OpenedStore): void {
  describe(`${name} as a store`, () => {
    let opened: OpenedStore;
    let store: Store;
    beforeAll(async () => {
      opened = await open();
      store = opened.store;
    });
    afterAll(() => opened?.close());

    test("reads what was written, and ranges of it in any order", async () => {
      await store.write("t/b/data.parquet", bytes("0123456789"));
      expect(text(await store.read("t/b/data.parquet"))).toBe("0123456789");
      expect(text(await store.readRange("t/b/data.parquet", 3, 4))).toBe("3456");
      expect(text(await store.readRange("t/b/data.parquet", 9, 1))).toBe("9");
      const ranges = [
        { offset: 8, length: 2 },
        { offset: 0, length: 0 },
        { offset: 2, length: 3 },
        { offset: 0, length: 10 },
      ];
      const parts = await store.readRanges("t/b/data.parquet", ranges);
      expect(parts.map(text)).toEqual(["89", "", "234", "0123456789"]);
      expect(await store.readRanges("t/b/data.parquet", [])).toEqual([]);
    });

    test("knows how long an object is and when it was written", async () => {
      await store.write("t/b/index", bytes("12345"));
      expect(await store.size("t/b/index")).toBe(5);
      // Clocks of stores are not ours, and may count in seconds.
      expect(Math.abs((await store.modified("t/b/index")) - Date.now())).toBeLessThan(60_000);
    });

    test("replaces an object", async () => {
      await store.write("r/b/meta.json", bytes("old and longer"));
      await store.write("r/b/meta.json", bytes("new"));
      expect(text(await store.read("r/b/meta.json"))).toBe("new");
      expect(await store.size("r/b/meta.json")).toBe(3);
    });

    test("holds empty objects", async () => {
      await store.write("e/b/nocompact.flg", bytes(""));
      await (await store.create("e/b/empty")).close();
      for (const path of ["e/b/nocompact.flg", "e/b/empty"]) {
        expect(await store.read(path)).toHaveLength(0);
        expect(await store.size(path)).toBe(0);
      }
      expect(await store.list("e")).toEqual(["b"]);
    });

    test("says what does not exist, and what is too short", async () => {
      await store.write("s/b/index", bytes("12345"));
      for (const path of ["s/b/none", "s/none/index", "none/none/none"]) {
        await expect(store.read(path)).rejects.toBeInstanceOf(StoreNotFound);
        await expect(store.readRange(path, 0, 1)).rejects.toBeInstanceOf(StoreNotFound);
        await expect(store.modified(path)).rejects.toBeInstanceOf(StoreNotFound);
        await expect(store.size(path)).rejects.toBeInstanceOf(StoreNotFound);
        expect(await store.readTagged(path)).toBeNull();
        await store.delete(path);
      }
      await expect(store.readRange("s/b/index", 4, 2)).rejects.toThrow("ends before 6");
      await expect(store.readRange("s/b/index", 5, 1)).rejects.toThrow("ends before 6");
      await expect(store.readRange("s/b/index", 100, 1)).rejects.toThrow("ends before 101");
      await expect(store.readRange("s/b/index", 0, 2 ** 40)).rejects.toThrow(StoreError);
      await expect(store.readRange("s/b/index", -1, 2)).rejects.toThrow(StoreError);
    });

    test("lists what lies one step down, and is not an object itself", async () => {
      expect(await store.list("l")).toEqual([]);
      for (const path of [
        "l/one/meta.json",
        "l/one/data",
        "l/two/meta.json",
        "l/two/deep/x",
        "l/file",
        "ll/x/y",
      ]) {
        await store.write(path, bytes("{}"));
      }
      expect((await store.list("l")).sort()).toEqual(["one", "two"]);
      expect(await store.list("l/one")).toEqual([]);
      expect(await store.list("")).toEqual(expect.arrayContaining(["l", "ll"]));
    });

    test("shows an object from close() on, whole", async () => {
      const writer = await store.create("w/b/data.parquet");
      const piece = bytes("abc");
      await writer.write(piece);
      piece.fill(0);
      await writer.write(bytes("def"));
      await expect(store.read("w/b/data.parquet")).rejects.toBeInstanceOf(StoreNotFound);
      await writer.close();
      expect(text(await store.read("w/b/data.parquet"))).toBe("abcdef");
    });

    test("leaves nothing of what was given up, and what was there before", async () => {
      await store.write("g/b/data.parquet", bytes("kept"));
      for (const length of [3, largeBytes]) {
        const writer = await store.create("g/b/data.parquet");
        for (let at = 0; at < length; at += pieceBytes) await writer.write(pattern(pieceBytes));
        await writer.abort();
      }
      expect(text(await store.read("g/b/data.parquet"))).toBe("kept");
    });

    test("writes and reads a large object", async () => {
      const large = pattern(largeBytes);
      const writer = await store.create("large/b/data.parquet");
      for (let at = 0; at < large.length; at += pieceBytes) {
        await writer.write(large.subarray(at, at + pieceBytes));
      }
      await writer.close();
      expect(await store.size("large/b/data.parquet")).toBe(largeBytes);
      expect(Buffer.compare(await store.read("large/b/data.parquet"), large)).toBe(0);
      const ranges = [
        { offset: 5_242_879, length: 2 },
        { offset: largeBytes - 1, length: 1 },
        { offset: 10_000_000, length: 6_000_000 },
        { offset: 17, length: 300 },
      ];
      for (const [i, part] of (await store.readRanges("large/b/data.parquet", ranges)).entries()) {
        const { offset, length } = ranges[i]!;
        expect(Buffer.compare(part, large.subarray(offset, offset + length))).toBe(0);
      }
      await store.write("large/b/once", large);
      expect(Buffer.compare(await store.read("large/b/once"), large)).toBe(0);
    });

    test("deletes objects and whole prefixes, but not everything", async () => {
      for (const path of ["d/b/meta.json", "d/b/bloom-0", "d/b/deep/x", "d/bb/meta.json"]) {
        await store.write(path, bytes("{}"));
      }
      await store.delete("d/b/meta.json");
      await expect(store.read("d/b/meta.json")).rejects.toBeInstanceOf(StoreNotFound);
      expect(text(await store.read("d/b/bloom-0"))).toBe("{}");
      await store.deleteAll("d/b");
      await store.deleteAll("d/b");
      expect(await store.list("d")).toEqual(["bb"]);
      await expect(store.read("d/b/deep/x")).rejects.toBeInstanceOf(StoreNotFound);
      await expect(store.deleteAll("")).rejects.toThrow("will not delete everything");
    });

    test("takes names as they are", async () => {
      const names = [
        "a b",
        "a+b",
        "a%2Fb",
        "a&b=c?d#e",
        "<tag>'\"",
        "(paren)!*~",
        "ünïcödé",
        "日本",
        "😀",
        "..a",
        "semi;colon,comma:at@$",
        "{braces}[brackets]|^`",
      ];
      for (const name of names) await store.write(`names/${name}/meta ${name}`, bytes(name));
      for (const name of names) expect(text(await store.read(`names/${name}/meta ${name}`))).toBe(name);
      expect((await store.list("names")).sort()).toEqual([...names].sort());
      await store.deleteAll(`names/${names[0]}`);
      await store.delete(`names/${names[1]}/meta ${names[1]}`);
      await expect(store.read(`names/${names[1]}/meta ${names[1]}`)).rejects.toBeInstanceOf(StoreNotFound);
      await store.deleteAll("names");
      expect(await store.list("names")).toEqual([]);
    });

    test("refuses paths that lead elsewhere", async () => {
      for (const path of [
        "../secret",
        "t/../../secret",
        "/etc/passwd",
        "t//x",
        "t/./x",
        "t\\x",
        "t/\0",
        "t/",
      ]) {
        await expect(store.read(path), path).rejects.toThrow("invalid path");
        await expect(store.write(path, bytes("x")), path).rejects.toThrow("invalid path");
        await expect(store.deleteAll(path), path).rejects.toThrow("invalid path");
      }
    });

    test("shows readers the old or the new bytes while an object is replaced", async () => {
      const contents = [pattern(300_000), pattern(200_000).fill(7)];
      await store.write("c/b/x", contents[0]!);
      let isWriting = true;
      const writing = (async () => {
        for (let i = 1; i <= 20; i++) await store.write("c/b/x", contents[i % 2]!);
        isWriting = false;
      })();
      const reading = Array.from({ length: 3 }, async () => {
        while (isWriting) {
          const found = await opened.other.read("c/b/x");
          expect(contents.some((content) => Buffer.compare(content, found) === 0)).toBe(true);
        }
      });
      await Promise.all([writing, ...reading]);
    });

    test("writes many objects at once", async () => {
      const paths = Array.from({ length: 60 }, (_, i) => `m/${i % 7}/object-${i}`);
      await Promise.all(paths.map((path) => store.write(path, bytes(path))));
      const found = await Promise.all(paths.map((path) => opened.other.read(path)));
      expect(found.map(text)).toEqual(paths);
    });

    test("writes only if there is no object, or the tag is the same", async () => {
      const first = await store.writeIf("if/b/lease", bytes("one"), null);
      expect(first).toBeString();
      expect(await store.writeIf("if/b/lease", bytes("two"), null)).toBeNull();
      expect(await store.readTagged("if/b/lease")).toEqual({ bytes: bytes("one"), tag: first! });
      const second = await store.writeIf("if/b/lease", bytes("two"), first);
      expect(second).toBeString();
      expect(second).not.toBe(first);
      expect(await opened.other.writeIf("if/b/lease", bytes("three"), first)).toBeNull();
      expect(text((await store.readTagged("if/b/lease"))!.bytes)).toBe("two");
      expect(await opened.other.writeIf("if/b/lease", bytes("three"), second)).toBeString();
      await store.delete("if/b/lease");
      expect(await store.writeIf("if/b/lease", bytes("four"), second)).toBeNull();
      expect(await store.writeIf("if/none/none", bytes("x"), second)).toBeNull();
      expect(await store.readTagged("if/b/lease")).toBeNull();
      expect(await store.writeIf("if/b/lease", bytes(""), null)).toBeString();
    });

    test("lets one of many create an object", async () => {
      const stores = [store, opened.other];
      const tries = Array.from({ length: 12 }, (_, i) =>
        stores[i % 2]!.writeIf("race/new", bytes(`${i}`), null),
      );
      const written = (await Promise.all(tries)).flatMap((tag, i) => (tag === null ? [] : [`${i}`]));
      expect(written).toHaveLength(1);
      expect(text(await store.read("race/new"))).toBe(written[0]!);
    });

    test("loses no change of those who count together", async () => {
      const counters = [store, opened.other, store, opened.other];
      const changes = 10;
      const count = async (counter: Store, id: number) => {
        for (let done = 0; done < changes; ) {
          const found = await counter.readTagged("race/count");
          const next = Number.parseInt(found ? text(found.bytes) : "0", 10) + 1;
          // Who counted stands there too: of equal bytes nobody could tell whose they are.
          const content = bytes(`${next} by ${id}`);
          if ((await counter.writeIf("race/count", content, found?.tag ?? null)) !== null) done++;
        }
      };
      await Promise.all(counters.map(count));
      expect(text(await store.read("race/count"))).toStartWith(`${counters.length * changes} by `);
    });
  });
}
