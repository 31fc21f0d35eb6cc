import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockFile } from "./file_lock.ts";
import { LocalStore } from "./local_store.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Counts up an object, for ever or so often; run as a process of its own. */
const counter = `
import { LocalStore } from ${JSON.stringify(join(import.meta.dir, "local_store.ts"))};
const store = new LocalStore(process.argv[1]);
const decoder = new TextDecoder();
for (let done = 0; done < Number(process.argv[2]); ) {
  const found = await store.readTagged("t/count");
  const next = Number(found ? decoder.decode(found.bytes) : 0) + 1;
  if ((await store.writeIf("t/count", new TextEncoder().encode(String(next)), found?.tag ?? null)) !== null) done++;
}`;

describe("lockFile()", () => {
  let folder: string;
  const place = (name: string) => join(folder, name);
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "file-lock-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** A lock as a process left it that is no more. */
  function leave(name: string, changes: object = {}): void {
    const { pid } = spawnSync("true");
    const held = { token: "0".repeat(24), pid, started: "1", machine: machine(), ...changes };
    writeFileSync(place(name), JSON.stringify(held));
  }

  /** How this process names its machine. */
  let known = "";
  function machine(): string {
    return known;
  }
  beforeAll(async () => {
    const lock = await lockFile(place("probe"));
    known = JSON.parse(readFileSync(place("probe"), "utf8")).machine;
    lock.release();
  });

  test("is held by one, and leaves nothing", async () => {
    const first = await lockFile(place("a"));
    expect(first.isHeld()).toBe(true);
    let got = false;
    const second = lockFile(place("a")).then((lock) => {
      got = true;
      return lock;
    });
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(got).toBe(false);
    first.release();
    const lock = await second;
    expect(first.isHeld()).toBe(false);
    first.release();
    expect(lock.isHeld()).toBe(true);
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("takes over from a process that is no more, once for all who want it", async () => {
    leave("b");
    const order: string[] = [];
    const take = async () => {
      const lock = await lockFile(place("b"));
      order.push("taken");
      await new Promise((resolve) => setTimeout(resolve, 2));
      expect(lock.isHeld()).toBe(true);
      order.push("released");
      lock.release();
    };
    await Promise.all(Array.from({ length: 8 }, take));
    expect(order).toEqual(Array.from({ length: 8 }, () => ["taken", "released"]).flat());
    expect(readdirSync(folder)).toEqual([]);
  });

  test("takes over from who died while taking over", async () => {
    leave("c");
    leave(`c-${"0".repeat(24)}`, { token: "1".repeat(24) });
    (await lockFile(place("c"))).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  /** A lock that is waited for by a clock that the test sets. */
  function waitFor(name: string) {
    const clock = { ms: 0 };
    let got = false;
    const waiting = lockFile(place(name), { now: () => clock.ms }).then((lock) => {
      got = true;
      return lock;
    });
    const pause = () => new Promise((resolve) => setTimeout(resolve, 60));
    return { clock, waiting, pause, got: () => got };
  }

  test("waits for a holder on another machine, but not for ever", async () => {
    leave("d", { machine: "elsewhere" });
    const { clock, waiting, pause, got } = waitFor("d");
    await pause();
    clock.ms = 29_000;
    await pause();
    expect(got()).toBe(false);
    clock.ms = 31_000;
    (await waiting).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("does not take one holder after the other for one who holds it for long", async () => {
    leave("f", { machine: "elsewhere" });
    const { clock, waiting, pause, got } = waitFor("f");
    await pause();
    clock.ms = 29_000;
    leave("f", { machine: "elsewhere", token: "1".repeat(24) });
    await pause();
    clock.ms = 58_000;
    await pause();
    expect(got()).toBe(false);
    clock.ms = 59_500;
    (await waiting).release();
  });

  test("does not go by the clocks of machines, which differ and jump", async () => {
    const lock = await lockFile(place("g"));
    const { waiting, pause, got } = waitFor("g");
    const { now } = Date;
    try {
      Date.now = () => now() + 3_600_000;
      await pause();
    } finally {
      Date.now = now;
    }
    expect(got()).toBe(false);
    expect(lock.isHeld()).toBe(true);
    lock.release();
    (await waiting).release();
  });

  test("takes over what a machine left without power", async () => {
    writeFileSync(place("e"), "");
    const { clock, waiting, pause } = waitFor("e");
    await pause();
    clock.ms = 31_000;
    (await waiting).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("lets processes change one object, some of which are killed", async () => {
    const root = join(folder, "blocks");
    const start = (times: number) =>
      spawn(process.execPath, ["-e", counter, root, `${times}`], { stdio: "inherit" });
    const counting = [start(60), start(60)];
    const ended = counting.map((child) => once(child, "exit"));
    for (let i = 0; i < 4; i++) {
      const killed = start(1_000_000);
      await new Promise((resolve) => setTimeout(resolve, 150 + i * 37));
      const gone = once(killed, "exit");
      killed.kill("SIGKILL");
      await gone;
    }
    for (const [code] of await Promise.all(ended)) expect(code).toBe(0);
    const store = new LocalStore(root);
    const found = (await store.readTagged("t/count"))!;
    expect(Number(new TextDecoder().decode(found.bytes))).toBeGreaterThanOrEqual(120);
    expect(await store.writeIf("t/count", bytes("end"), found.tag)).toBeString();
    expect(existsSync(join(root, "t/count.lock"))).toBe(false);
  }, 30_000);
});
