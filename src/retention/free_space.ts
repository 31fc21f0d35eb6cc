// A full local disk costs the oldest blocks instead of the newest spans: where less is free than a reserve, they are deleted.
import * as files from "node:fs/promises";
import { endMsOf } from "../store/block_list.ts";
import { log } from "../telemetry/log.ts";
import { firstBytes, oldestFirst } from "./over_limit.ts";
import type { Retention } from "./retention.ts";

export interface FreeSpaceOptions {
  /** What shall be free; of a small disk, a twentieth. */
  reserveBytes: number;
  /** Unix ms: blocks with spans from then on are as new as what is being written, and stay. */
  writtenMs(): number;
  /** The disk of the blocks as it is now. */
  disk(): Promise<Disk>;
}

/** In bytes. */
export interface Disk {
  /** What a process without privileges may still take. */
  free: number;
  total: number;
}

/** Of a small disk no more is held free: on one that is smaller than the reserve nothing could be stored. */
const reserveShareMax = 1 / 20;

export class FreeSpace {
  readonly #retention: Retention;
  readonly #options: FreeSpaceOptions;
  /** As it was last measured; null before. */
  freeBytes: number | null = null;

  constructor(retention: Retention, options: FreeSpaceOptions) {
    this.#retention = retention;
    this.#options = options;
  }

  /**
   * Deletes the oldest blocks while less is free than the reserve.
   *
   * @throws Error if there is nothing left that is older than what is being written, or blocks can't be deleted
   */
  async keep(signal?: AbortSignal): Promise<void> {
    const { free: freeBytes, total } = await this.#options.disk();
    const reserveBytes = Math.min(this.#options.reserveBytes, Math.floor(total * reserveShareMax));
    this.freeBytes = freeBytes;
    if (freeBytes >= reserveBytes) return;
    const writtenMs = this.#options.writtenMs();
    const old = oldestFirst(this.#retention.stored()).filter(
      ({ meta, compacted }) => compacted || endMsOf(meta) < writtenMs,
    );
    const blocks = firstBytes(old, reserveBytes - freeBytes);
    if (blocks.length === 0) {
      throw new Error(
        `the disk is full, ${freeBytes} bytes are free, and no block is older than what is being written`,
      );
    }
    log.error("the disk is full: the oldest blocks are deleted", {
      free_bytes: freeBytes,
      reserve_bytes: reserveBytes,
      blocks: blocks.length,
      bytes: blocks.reduce((bytes, { meta }) => bytes + meta.size, 0),
    });
    await this.#retention.delete(blocks, "disk", signal);
    this.freeBytes = (await this.#options.disk()).free;
  }
}

export async function diskOf(path: string): Promise<Disk> {
  const { bavail, blocks, bsize } = await files.statfs(path);
  return { free: bavail * bsize, total: blocks * bsize };
}
