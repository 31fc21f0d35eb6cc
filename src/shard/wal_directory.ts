// Where the WAL lies: <wal path>/shard-<k>/<tenant>/<sequence>-<uuid>.wal, and beside a segment what else is known of it.

import { randomUUID } from "node:crypto";
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { type WalFiles, walFiles } from "./wal_files.ts";
import type { SegmentIdentity } from "./wal_record.ts";
import { WalError, WalSegment } from "./wal_segment.ts";

/** Damaged segments that are kept for whoever wants to look into them, per shard directory; the oldest go first. */
export const keptAsideFilesMax = 16;
export const keptAsideBytesMax = 256 * 1024 * 1024;

const segmentName = /^(\d{8,})-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.wal$/;
const shardName = /^shard-(\d{1,6})$/;
/** As in X-Scope-OrgID: what may be a directory's name. */
const tenantName = /^(?!\.{1,2}$)[a-zA-Z0-9!\-_.*'()]{1,150}$/;
const asideEnding = ".corrupt";
const planEnding = ".cut";

/** A segment that an earlier process left. */
export interface FoundSegment {
  path: string;
  identity: SegmentIdentity;
  /** It lies in the directory that this shard writes to, and not in one of a shard that is no more. */
  own: boolean;
}

/**
 * How far a segment has been cut, if it is cut in parts: the records before `from` are in blocks, and the block whose id
 * derives from `from`, if it is in the store, holds those before `to` (all the rest, if null).
 */
export interface CutPlan {
  from: number;
  to: number | null;
}

export class WalDirectory {
  readonly #root: string;
  readonly #shard: number;
  readonly #shards: number;
  readonly #durable: boolean;
  readonly #files: WalFiles;
  readonly #lastSequence = new Map<string, number>();

  /**
   * @param root storage.trace.wal.path
   * @param durable file names, too, must survive a lost machine
   */
  constructor(root: string, shard: number, shards: number, durable: boolean, files: WalFiles = walFiles) {
    this.#root = root;
    this.#shard = shard;
    this.#shards = shards;
    this.#durable = durable;
    this.#files = files;
  }

  /** The segments that this shard has to read back, by tenant, oldest first, its own last. */
  found(): FoundSegment[] {
    const found: FoundSegment[] = [];
    for (const directory of namesIn(this.#root)) {
      const index = Number(shardName.exec(directory)?.[1] ?? Number.NaN);
      if (!(index % this.#shards === this.#shard)) continue;
      const own = index === this.#shard;
      for (const tenant of namesIn(join(this.#root, directory))) {
        if (!tenantName.test(tenant)) continue;
        for (const name of namesIn(join(this.#root, directory, tenant))) {
          const match = segmentName.exec(name);
          if (!match) continue;
          const sequence = Number(match[1]);
          const path = join(this.#root, directory, tenant, name);
          found.push({ path, identity: { tenant, sequence, uuid: match[2]! }, own });
          if (own) this.#lastSequence.set(tenant, Math.max(sequence, this.#lastSequence.get(tenant) ?? 0));
        }
      }
    }
    const order = (a: FoundSegment, b: FoundSegment) =>
      compare(a.identity.tenant, b.identity.tenant) ||
      Number(a.own) - Number(b.own) ||
      a.identity.sequence - b.identity.sequence ||
      compare(a.path, b.path);
    return found.sort(order);
  }

  /**
   * Starts the next segment of a tenant.
   *
   * @throws WalError
   */
  create(tenant: string, createdMs: number): WalSegment {
    if (!tenantName.test(tenant))
      throw new WalError(`wal tenant ${JSON.stringify(tenant)} is no directory name`);
    const directory = join(this.#root, `shard-${this.#shard}`, tenant);
    try {
      const first = mkdirSync(directory, { recursive: true });
      if (first && this.#durable)
        for (const made of between(first, directory)) this.#files.syncDirectory(dirname(made));
    } catch (cause) {
      throw WalError.from("wal directory cannot be created", cause);
    }
    const sequence = (this.#lastSequence.get(tenant) ?? 0) + 1;
    const identity = { tenant, sequence, uuid: randomUUID() };
    const name = `${String(sequence).padStart(8, "0")}-${identity.uuid}.wal`;
    const segment = WalSegment.create(join(directory, name), identity, createdMs, this.#durable, this.#files);
    this.#lastSequence.set(tenant, sequence);
    return segment;
  }

  /** Null if the segment is not cut in parts. */
  plan(path: string): CutPlan | null {
    try {
      const { from, to } = JSON.parse(readFileSync(path + planEnding, "utf8")) as Partial<CutPlan>;
      if (!Number.isSafeInteger(from) || (to !== null && !Number.isSafeInteger(to))) return null;
      return { from: from as number, to: to as number | null };
    } catch {
      return null; // there is none; it is renamed into place, so it is never half there
    }
  }

  setPlan(path: string, plan: CutPlan): void {
    const temporary = `${path}${planEnding}.tmp`;
    const file = openSync(temporary, "w");
    try {
      writeSync(file, JSON.stringify(plan));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path + planEnding);
    this.#files.syncDirectory(dirname(path));
  }

  /** Removes what belongs to a segment that has been removed itself, and the directories that this left empty. */
  forget(path: string): void {
    for (const ending of [planEnding, `${planEnding}.tmp`]) rmSync(path + ending, { force: true });
    const tenantDirectory = dirname(path);
    const shardDirectory = dirname(tenantDirectory);
    if (basename(shardDirectory) === `shard-${this.#shard}`) return;
    try {
      rmdirSync(tenantDirectory);
      rmdirSync(shardDirectory);
    } catch {
      // Other segments, or some that were set aside, still lie there.
    }
  }

  /** Removes a segment whose spans are all in blocks. */
  remove(path: string): void {
    this.#files.remove(path);
    this.forget(path);
  }

  /** Keeps a damaged segment's file under another name beyond its removal, and drops the oldest ones over the limits. */
  keepAside(path: string): void {
    const aside = path + asideEnding;
    if (existsSync(aside)) return;
    try {
      linkSync(path, aside); // costs nothing, and can't be interrupted
    } catch {
      copyFileSync(path, aside); // a file system without links
    }
    this.#pruneAside(dirname(dirname(path)), aside);
  }

  #pruneAside(shardDirectory: string, newest: string): void {
    const kept = namesIn(shardDirectory).flatMap((tenant) =>
      namesIn(join(shardDirectory, tenant))
        .filter((name) => name.endsWith(asideEnding))
        .map((name) => {
          const path = join(shardDirectory, tenant, name);
          const { size, mtimeMs } = statSync(path);
          return { path, size, mtimeMs };
        }),
    );
    kept.sort((a, b) => Number(b.path === newest) - Number(a.path === newest) || b.mtimeMs - a.mtimeMs);
    let bytes = 0;
    for (const [index, { path, size }] of kept.entries()) {
      bytes += size;
      if (index > 0 && (index >= keptAsideFilesMax || bytes > keptAsideBytesMax))
        rmSync(path, { force: true });
    }
  }
}

/** `/a`, `/a/b`, `/a/b/c` for the first and the last of them. */
function between(first: string, last: string): string[] {
  const paths = [last];
  for (let path = last; path !== first && path !== dirname(path); path = dirname(path))
    paths.push(dirname(path));
  return paths.reverse();
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw cause;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
