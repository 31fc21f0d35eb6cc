import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalStore } from "./local_store.ts";
import { StoreError, StoreNotFound } from "./store_error.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array) => new TextDecoder().decode(value);

describe("LocalStore", () => {
  let folder: string;
  let store: LocalStore;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "local-store-"));
    store = new LocalStore(join(folder, "blocks"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("writes and reads objects and ranges of them", async () => {
    await store.write("t/b/data.parquet", bytes("0123456789"));
    expect(text(await store.read("t/b/data.parquet"))).toBe("0123456789");
    expect(text(await store.readRange("t/b/data.parquet", 3, 4))).toBe("3456");
    const ranges = [
      { offset: 8, length: 2 },
      { offset: 0, length: 0 },
      { offset: 0, length: 10 },
    ];
    expect((await store.readRanges("t/b/data.parquet", ranges)).map(text)).toEqual(["89", "", "0123456789"]);
    expect(await store.size("t/b/data.parquet")).toBe(10);
    expect(Math.abs((await store.modified("t/b/data.parquet")) - Date.now())).toBeLessThan(60_000);
  });

  test("makes directories that only the owner can enter", async () => {
    await store.write("modes/b/meta.json", bytes("{}"));
    for (const path of ["modes", "modes/b"]) {
      expect(statSync(join(folder, "blocks", path)).mode & 0o777).toBe(0o700);
    }
  });

  test("shows an object from close() on, whole, and nothing of an aborted one", async () => {
    const writer = await store.create("w/b/data.parquet");
    const piece = bytes("abc");
    await writer.write(piece);
    piece.fill(0);
    await writer.write(bytes("def"));
    await expect(store.read("w/b/data.parquet")).rejects.toBeInstanceOf(StoreNotFound);
    await writer.close();
    expect(text(await store.read("w/b/data.parquet"))).toBe("abcdef");

    const other = await store.create("w/b/data.parquet");
    await other.write(bytes("xyz"));
    await other.abort();
    expect(text(await store.read("w/b/data.parquet"))).toBe("abcdef");
    expect(readdirSync(join(folder, "blocks/w/b"))).toEqual(["data.parquet"]);
  });

  test("replaces an object", async () => {
    await store.write("r/b/meta.json", bytes("old and longer"));
    await store.write("r/b/meta.json", bytes("new"));
    expect(text(await store.read("r/b/meta.json"))).toBe("new");
  });

  test("lists directories, not files", async () => {
    await store.write("l/one/meta.json", bytes("{}"));
    await store.write("l/two/meta.json", bytes("{}"));
    await store.write("l/file", bytes(""));
    expect((await store.list("l")).sort()).toEqual(["one", "two"]);
    expect(await store.list("l/none")).toEqual([]);
    expect(await new LocalStore(join(folder, "none")).list("")).toEqual([]);
  });

  test("deletes objects and whole prefixes, but not everything", async () => {
    await store.write("d/b/meta.json", bytes("{}"));
    await store.write("d/b/bloom-0", bytes("{}"));
    await store.delete("d/b/meta.json");
    await store.delete("d/b/meta.json");
    await expect(store.read("d/b/meta.json")).rejects.toBeInstanceOf(StoreNotFound);
    await store.deleteAll("d/b");
    expect(existsSync(join(folder, "blocks/d/b"))).toBe(false);
    await expect(store.deleteAll("")).rejects.toThrow("will not delete everything");
  });

  test("says what does not exist, and what is too short", async () => {
    await store.write("s/b/index", bytes("12345"));
    await expect(store.read("s/b/none")).rejects.toBeInstanceOf(StoreNotFound);
    await expect(store.readRange("s/none/index", 0, 1)).rejects.toBeInstanceOf(StoreNotFound);
    await expect(store.modified("s/b/none")).rejects.toBeInstanceOf(StoreNotFound);
    await expect(store.readRange("s/b/index", 4, 2)).rejects.toThrow("ends before 6");
    await expect(store.readRange("s/b/index", 0, 2 ** 40)).rejects.toThrow(StoreError);
    await expect(store.readRange("s/b/index", -1, 2)).rejects.toThrow(StoreError);
  });

  test("refuses paths that lead out of its root", async () => {
    writeFileSync(join(folder, "secret"), "secret");
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
    }
    symlinkSync(folder, join(folder, "blocks/linked"));
    expect(await store.list("")).not.toContain("linked");
  });
});
