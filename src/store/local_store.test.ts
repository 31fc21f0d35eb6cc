import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalStore } from "./local_store.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("LocalStore", () => {
  let folder: string;
  let store: LocalStore;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "local-store-"));
    store = new LocalStore(join(folder, "blocks"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("makes directories that only the owner can enter", async () => {
    await store.write("modes/b/meta.json", bytes("{}"));
    for (const path of ["modes", "modes/b"]) {
      expect(statSync(join(folder, "blocks", path)).mode & 0o777).toBe(0o700);
    }
  });

  test("leaves no file of what was given up, or not written", async () => {
    await store.write("w/b/data.parquet", bytes("abcdef"));
    const writer = await store.create("w/b/data.parquet");
    await writer.write(bytes("xyz"));
    await writer.abort();
    expect(await store.writeIf("w/b/data.parquet", bytes("xyz"), null)).toBeNull();
    expect(await store.writeIf("w/b/data.parquet", bytes("xyz"), "another")).toBeNull();
    const { tag } = (await store.readTagged("w/b/data.parquet"))!;
    expect(await store.writeIf("w/b/data.parquet", bytes("xyz"), tag)).toBeString();
    expect(readdirSync(join(folder, "blocks/w/b"))).toEqual(["data.parquet"]);
  });

  test("lists nothing where there is no folder yet", async () => {
    expect(await new LocalStore(join(folder, "none")).list("")).toEqual([]);
  });

  test("removes what a crash has left of writes that nothing else deletes, once it is old", async () => {
    await store.write("l/index.json.gz", bytes("{}"));
    const left = [
      "compaction_lease.json.0a.part",
      "compaction_lease.json.lock.0b",
      "compaction_lease.json.lock-0c.0d",
    ];
    for (const name of [...left, "locked.json"]) writeFileSync(join(folder, "blocks/l", name), "");
    await store.removeLeftovers(Date.now() - 60_000);
    expect(readdirSync(join(folder, "blocks/l")).length).toBe(5);
    await store.removeLeftovers(Date.now() + 60_000);
    expect(readdirSync(join(folder, "blocks/l")).sort()).toEqual(["index.json.gz", "locked.json"]);
  });

  test("deletes the folders of what it deletes", async () => {
    await store.write("d/b/meta.json", bytes("{}"));
    await store.deleteAll("d/b");
    expect(existsSync(join(folder, "blocks/d/b"))).toBe(false);
  });

  test("passes over links, which lead out of its root", async () => {
    symlinkSync(folder, join(folder, "blocks/linked"));
    expect(await store.list("")).not.toContain("linked");
  });
});
