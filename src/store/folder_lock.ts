// One process at a time on a folder: on a WAL a second one would read back the segments that the first still writes to, cut them into
// blocks and remove them under it. No lock of the operating system can be had from every runtime, so it is a file that names its holder.

import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { log } from "../telemetry/log.ts";

const fileName = "lock";
/** Other processes that take over from the same dead one at the same moment. */
const attemptsMax = 10;

interface Holder {
  pid: number;
  /** When it was started, in the kernel's own words: a number that comes again belongs to another process. "" if unknown. */
  started: string;
}

/** Another process holds the folder. */
export class FolderLocked extends Error {
  override readonly name = "FolderLocked";
}

export class FolderLock {
  readonly #path: string;
  readonly #text: string;

  private constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
  }

  /**
   * Takes the lock of a folder, or that of a process that is no more. Where no file can be written nothing is locked, and nothing else will be written either.
   *
   * @param root made if it is missing
   * @param key of the configuration that names it
   * @throws FolderLocked
   */
  static take(root: string, key: string): FolderLock {
    const own = holderOf(process.pid) ?? { pid: process.pid, started: "" };
    const lock = new FolderLock(join(root, fileName), JSON.stringify(own));
    try {
      mkdirSync(root, { recursive: true });
      lock.#take(key);
    } catch (cause) {
      if (cause instanceof FolderLocked) throw cause;
      log.warn(`${key} can't be locked against other processes`, { path: root, error: cause as Error });
    }
    return lock;
  }

  #take(key: string): void {
    const mine = `${this.#path}.${process.pid}`;
    writeFileSync(mine, this.#text);
    try {
      for (let attempt = 0; attempt < attemptsMax; attempt++) {
        if (linked(mine, this.#path)) return;
        const text = textOf(this.#path);
        const holder = parse(text);
        if (holder && isAlive(holder)) {
          throw new FolderLocked(
            `${key}: process ${holder.pid} has it, as ${this.#path} says; two would undo each other's work`,
          );
        }
        this.#removeDead(text);
      }
    } finally {
      rmSync(mine, { force: true });
    }
    throw new Error(`${this.#path} changes all the time`);
  }

  /** Removes the lock with that content, and no other that has come in its place meanwhile. */
  #removeDead(text: string | null): void {
    const dead = `${this.#path}.${process.pid}.dead`;
    try {
      renameSync(this.#path, dead);
    } catch {
      return; // gone already
    }
    if (textOf(dead) !== text) linked(dead, this.#path);
    rmSync(dead, { force: true });
  }

  /** Lets the next process have it. */
  release(): void {
    if (textOf(this.#path) === this.#text) rmSync(this.#path, { force: true });
  }
}

/** False if there is one already: unlike a file that is written in place, it is never seen half written. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw cause;
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function parse(text: string | null): Holder | null {
  try {
    const { pid, started } = JSON.parse(text ?? "") as Partial<Holder>;
    return Number.isSafeInteger(pid) && typeof started === "string" ? { pid: pid as number, started } : null;
  } catch {
    return null; // not written by us
  }
}

/** What the kernel says of a process that runs; null if there is none of that number. */
function holderOf(pid: number): Holder | null {
  const stat = textOf(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // Behind the name, which may hold anything: the state, and as the 20th field the time of the start in ticks since boot.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? null : { pid, started: fields[19] ?? "" };
}

function isAlive({ pid, started }: Holder): boolean {
  if (started !== "") return holderOf(pid)?.started === started;
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EPERM";
  }
}
