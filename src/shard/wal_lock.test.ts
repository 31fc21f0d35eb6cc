import { afterEach, beforeEach, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { log } from "../telemetry/log.ts";
import { temporaryDirectory } from "./wal_fixture.ts";
import { WalLock, WalLocked } from "./wal_lock.ts";

let lines: string[] = [];
beforeEach(() => {
  lines = [];
  log.configure({ sink: (line) => lines.push(line), level: "warn" });
});
afterEach(() => expect(lines).toEqual([]));

test("WalLock.take() makes the directory, and leaves nothing but the lock in it", () => {
  using directory = temporaryDirectory();
  const root = join(directory.path, "wal");
  const lock = WalLock.take(root);
  expect(readdirSync(root)).toEqual(["lock"]);
  expect(JSON.parse(readFileSync(join(root, "lock"), "utf8")).pid).toBe(process.pid);
  lock.release();
  expect(readdirSync(root)).toEqual([]);
});

test("WalLock.take() refuses while the process lives that holds it, and takes over from it when it does not", async () => {
  using directory = temporaryDirectory();
  const module = join(import.meta.dir, "wal_lock.ts");
  const script = `import { WalLock } from ${JSON.stringify(module)}; WalLock.take(${JSON.stringify(directory.path)}); console.log("taken"); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(holder.stdout, "data");
  expect(() => WalLock.take(directory.path)).toThrow(WalLocked);
  expect(() => WalLock.take(directory.path)).toThrow(`process ${holder.pid} has it`);
  expect(readdirSync(directory.path)).toEqual(["lock"]);
  holder.kill("SIGKILL");
  await once(holder, "exit");
  WalLock.take(directory.path).release();
  expect(readdirSync(directory.path)).toEqual([]);
});

test.skipIf(process.platform !== "linux")(
  "WalLock.take() tells a process from an earlier one of the same number",
  () => {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, "lock"), JSON.stringify({ pid: process.pid, started: "1" }));
    WalLock.take(directory.path).release();
  },
);

test("WalLock.take() takes over what is no lock", () => {
  for (const text of ["", "{", "{}", '{"pid":"1","started":""}']) {
    using directory = temporaryDirectory();
    writeFileSync(join(directory.path, "lock"), text);
    WalLock.take(directory.path).release();
    expect(readdirSync(directory.path)).toEqual([]);
  }
});

test("WalLock.take() goes on where nothing can be written", () => {
  using directory = temporaryDirectory();
  const file = join(directory.path, "file");
  writeFileSync(file, "");
  WalLock.take(join(file, "wal")).release();
  expect(lines.splice(0).join()).toContain("can't be locked");
});

test("WalLock.release() leaves another's lock alone", () => {
  using directory = temporaryDirectory();
  const lock = WalLock.take(directory.path);
  writeFileSync(join(directory.path, "lock"), "another");
  lock.release();
  expect(readdirSync(directory.path)).toEqual(["lock"]);
});
