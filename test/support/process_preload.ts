// What a server is started with (`bun --preload`) whose clocks tests set, and that tests end at an exact step of its file system. Every thread
// reads the same few numbers, from a file that is mapped into memory, so that a change holds from the next instruction on.
//
// Node's modules are changed before anything imports them by name; so they are asked for with require(), and what imports them comes after.
import { createRequire } from "node:module";
import process from "node:process";

const require = createRequire(import.meta.url);

const threads = require("node:worker_threads");
threads.Worker = class extends threads.Worker {
  constructor(file: URL, options: object) {
    super(file, { ...options, preload: [import.meta.path] });
  }
};

/** Beside the place of another file, which nobody reads, locks, and what every poll writes: so a step is what gives a file its name, or takes it. */
const passing = /\.part$|\.lock\b|\.tmp$|index\.(json\.gz|pb\.zst)$/;

type Call = (...args: unknown[]) => unknown;

function counted(module: Record<string, Call>, name: string): void {
  const call = module[name]!;
  module[name] = (...args) => {
    const path = args.findLast((arg) => typeof arg === "string");
    if (path !== undefined && !passing.test(path)) control.step(`${name} ${path}`);
    return call(...args);
  };
}

const fs = require("node:fs");
for (const name of ["rename", "link", "unlink", "rm"]) counted(require("node:fs/promises"), name);
for (const name of ["renameSync", "linkSync", "rmSync"]) counted(fs, name);

const { ControlledProcess } = await import("./controlled_process.ts");
const control = new ControlledProcess(process.env.RUBATO_TEST_CONTROL!);

const wall = Date.now;
const steady = performance.now.bind(performance);
Date.now = () => wall() + control.wallMs;
performance.now = () => steady() + control.steadyMs;
