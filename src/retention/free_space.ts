// A full local disk costs the oldest blocks instead of the newest spans: where less is free than a reserve, they are deleted.
import * as files from "node:fs/promises";
import { endMsOf } from "../store/block_list.ts";
import { log } from "../telemetry/log.ts";
import { firstBytes, oldestFirst } from "./over_limit.ts";
import type { Retention } from "./retention.ts";

export interface FreeSpaceOptions {
  /** What shall be free. */
  reserveBytes: number;
  /** Unix ms: blocks with spans from then on are as new as what is being written, and stay. */
  writtenMs(): number;
  /** Bytes that are free now. */
  freeBytes(): Promise<number>;
}

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
    const { reserveBytes } = this.#options;
    const freeBytes = await this.#options.freeBytes();
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
    this.freeBytes = await this.#options.freeBytes();
  }
}

/** Bytes of a disk that a process without privileges may still take. */
export async function freeBytesOf(path: string): Promise<number> {
  const { bavail, bsize } = await files.statfs(path);
  return bavail * bsize;
}
