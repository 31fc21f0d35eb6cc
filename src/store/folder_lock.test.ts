import { afterEach, beforeEach, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../shard/wal_fixture.ts";
import { log } from "../telemetry/log.ts";
import { FolderLock, FolderLocked } from "./folder_lock.ts";

const key = "storage.trace.wal.path";
let lines: string[] = [];
beforeEach(() => {
  lines = [];
  log.configure({ sink: (line) => lines.push(line), level: "warn" });
});
afterEach(() => expect(lines).toEqual([]));

test("FolderLock.take() makes the directory, and leaves nothing but the lock in it", () => {
  using directory = temporaryDirectory();
  const root = join(directory.path, "wal");
  const lock = FolderLock.take(root, key);
  expect(readdirSync(root)).toEqual(["lock"]);
  expect(JSON.parse(readFileSync(join(root, "lock"), "utf8")).pid).toBe(process.pid);
  lock.release();
  expect(readdirSync(root)).toEqual([]);
});

test("FolderLock.take() refuses while the process lives that holds it, and takes over from it when it does not", async () => {
  using directory = temporaryDirectory();
  const module = join(import.meta.dir, "folder_lock.ts");
  const script = `import { FolderLock } from ${JSON.stringify(module)}; FolderLock.take(${JSON.stringify(directory.path)}, "k"); console.log("taken"); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(holder.stdout, "data");
  expect(() => FolderLock.take(directory.path, key)).toThrow(FolderLocked);
  expect(() => FolderLock.take(directory.path, key)).toThrow(`process ${holder.pid} has it`);
  expect(readdirSync(directory.path)).toEqual(["lock"]);
  holder.kill("SIGKILL");
  await once(holder, "exit");
  FolderLock.take(directory.path, key).release();
  expect(readdirSync(directory.path)).toEqual([]);
});

test.skipIf(process.platform !== "linux")(
  "FolderLock.take() tells a process from an earlier one of the same number",
  () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, "lock"), JSON.stringify({ pid: process.pid, started: "1" }));
    FolderLock.take(directory.path, key).release();
  },
);

test("FolderLock.take() takes over what is no lock", () => {
  for (const text of ["", "{", "{}", '{"pid":"1","started":""}']) {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, "lock"), text);
    FolderLock.take(directory.path, key).release();
    expect(readdirSync(directory.path)).toEqual([]);
  }
});

test("FolderLock.take() goes on where nothing can be written", () => {
  using directory = temporaryDirectory();
  const file = join(directory.path, "file");
  writeFileSync(file, "");
  FolderLock.take(join(file, "wal"), key).release();
  expect(lines.splice(0).join()).toContain("can't be locked");
});

test("FolderLock.release() leaves another's lock alone", () => {
  using directory = temporaryDirectory();
  const lock = FolderLock.take(directory.path, key);
  writeFileSync(join(directory.path, "lock"), "another");
  lock.release();
  expect(readdirSync(directory.path)).toEqual(["lock"]);
});
