// A lock among processes that share a file system: a file that says who holds it, taken by linking it into place. Meant to be held for
// moments. The operating system's own locks can't be had from every runtime, so a holder that died has to be told by its process number.
//
// Only one may remove the lock of a dead holder, or the second would remove that of the next living one. Who removes it holds the lock
// of the lock, named after the dead holder's token, which never comes again; if he dies too, his is removed in the same way.
//
// How long a lock is held is measured by whoever waits for it, by a clock that nobody sets: those of machines differ, and they jump.
import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";
import { StoreError } from "./store_error.ts";

/** A lock that one waits for so long is nobody's: of a thread that was ended while it held it, or of a machine that we can't look into. */
const heldMsMax = 30_000;
/** After that long without getting it: the others would have to be very many. */
const waitMsMax = 60_000;
const pauseMsMax = 20;

export interface LockOptions {
  /** ms from any start, of a clock that nobody sets. */
  now: () => number;
}

const realTime: LockOptions = { now: () => performance.now() };

export interface FileLock {
  /** False if it was taken for that of a dead process, since it was held for too long. */
  isHeld(): boolean;
  release(): void;
}

interface Holder {
  token: string;
  pid: number;
  /** When the process was started, in the kernel's own words; "" if unknown. */
  started: string;
  /** Where its number means something. */
  machine: string;
}

/**
 * Waits for the lock.
 *
 * @param place where the lock is a file while it is held; its directory exists
 * @throws StoreError after a minute; the file system's error if no file can be made there
 */
export async function lockFile(place: string, options: LockOptions = realTime): Promise<FileLock> {
  const token = randomBytes(12).toString("hex");
  const mine = `${place}.${token}`;
  writeFileSync(mine, JSON.stringify({ token, ...self() } satisfies Holder), { flag: "wx", mode: 0o600 });
  try {
    await take(place, mine, options);
  } finally {
    rmSync(mine, { force: true });
  }
  const isHeld = () => holderOf(place)?.token === token;
  return {
    isHeld,
    release: () => {
      if (isHeld()) rmSync(place, { force: true });
    },
  };
}

async function take(place: string, mine: string, options: LockOptions): Promise<void> {
  const startedMs = options.now();
  let seen = { token: "", ms: startedMs };
  while (!linked(mine, place)) {
    const now = options.now();
    if (now - startedMs > waitMsMax) throw new StoreError(`store: ${place} is held all the time`);
    const holder = holderOf(place);
    if (holder && holder.token !== seen.token) seen = { token: holder.token, ms: now };
    if (holder && (isKnownGone(holder) || now - seen.ms > heldMsMax)) await remove(place, holder, options);
    else await new Promise((resolve) => setTimeout(resolve, Math.random() * pauseMsMax));
  }
}

async function remove(place: string, gone: Holder, options: LockOptions): Promise<void> {
  const lock = await lockFile(`${place}-${gone.token}`, options);
  try {
    if (holderOf(place)?.token === gone.token && lock.isHeld()) rmSync(place, { force: true });
  } finally {
    lock.release();
  }
}

/** Links the file into place; false if there is one already. */
function linked(mine: string, place: string): boolean {
  try {
    linkSync(mine, place);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Null if nobody holds it. What a machine left that lost its power may be no text of ours: its token is then its place on the disk. */
function holderOf(place: string): Holder | null {
  try {
    const text = readFileSync(place, "utf8");
    return parse(text) ?? { token: `${statSync(place).ino}`, ...self() };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

function parse(text: string): Holder | null {
  try {
    const { token, pid, started, machine } = JSON.parse(text) as Partial<Holder>;
    if (!/^[0-9a-f]{24}$/.test(token ?? "") || !Number.isSafeInteger(pid)) return null;
    return { token: token!, pid: pid!, started: started ?? "", machine: machine ?? "" };
  } catch {
    return null;
  }
}

function isKnownGone(holder: Holder): boolean {
  return holder.machine === self().machine && !isRunning(holder);
}

function isRunning({ pid, started }: Holder): boolean {
  if (started !== "") return startOf(pid) === started;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

let known: Omit<Holder, "token"> | null = null;

function self(): Omit<Holder, "token"> {
  known ??= {
    pid: process.pid,
    started: startOf(process.pid),
    machine: `${hostname()} ${bootOf()} ${processNumbers()}`,
  };
  return known;
}

/** Ticks from boot to the start of a process: the 20th field behind its name, which may hold anything; "" if it runs no more. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? "" : (fields[19] ?? "");
  } catch {
    return "";
  }
}

/** Machines may share a name, and number their processes alike; this no two have, nor one twice. */
function bootOf(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}

/** Containers on one machine number their processes each for itself. */
function processNumbers(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}
