// Chunks of objects that never change, on the local disk, within a limit of bytes: one thread's own, so that it needs no locks. Which go
// first is decided by the clock algorithm, which is nearly "the least recently used": a hand goes round the slots, passes by those that
// were used since it last came, and takes the first that was not.
//
// Reads and writes happen in the calling thread, as those of the local store do: some 40 µs for a chunk.
import { createHash } from "node:crypto";
import type { BlockCacheStats } from "../telemetry/block_cache_metrics.ts";
import { log } from "../telemetry/log.ts";
import {
  blockHashBytes,
  ChunkFiles,
  checksumOf,
  isWhole,
  parseRecord,
  printRecord,
  recordBytes,
  type WriteAt,
} from "./chunk_files.ts";
import { cacheChunksMax } from "./chunk_limits.ts";
import { ChunkTable } from "./chunk_table.ts";

/** After a write that failed, nothing is written for so long: a full disk is given time. */
const pauseMs = 10_000;

/** Which object of which block. */
export interface CachedObject {
  /** `<tenant>/<block>` */
  block: string;
  /** Its number among those of a block. */
  number: number;
  /** What tells the block from another of the same id, as contentOf() of its meta does; 0 where that is not known. */
  content: number;
}

export interface ChunkCacheOptions {
  folder: string;
  bytesMax: number;
  chunkBytes: number;
  now?: () => number;
  write?: WriteAt;
}

export class ChunkCache {
  readonly chunkBytes: number;
  readonly #slots: number;
  readonly #files: ChunkFiles;
  readonly #now: () => number;
  readonly #table: ChunkTable;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  readonly #counts = {
    hits: 0,
    misses: 0,
    hitBytes: 0,
    writtenBytes: 0,
    evictions: 0,
    corrupt: 0,
    writeErrors: 0,
  };

  /** @throws Error of node:fs if the folder can't be used */
  constructor({ folder, bytesMax, chunkBytes, now = () => performance.now(), write }: ChunkCacheOptions) {
    this.chunkBytes = chunkBytes;
    this.#slots = Math.max(1, Math.min(cacheChunksMax, Math.floor(bytesMax / (chunkBytes + recordBytes))));
    this.#now = now;
    this.#files = new ChunkFiles(folder, chunkBytes, this.#slots, write);
    this.#table = new ChunkTable(this.#slots);
    this.#load();
  }

  #load(): void {
    const records = this.#files.load();
    const free: number[] = [];
    for (let start = 0; start < records.length; start += recordBytes) {
      const { slot } = this.#table.take();
      const bytes = records.subarray(start, start + recordBytes);
      const isUsable = isWhole(bytes) && parseRecord(bytes, 0).length <= this.chunkBytes;
      if (isUsable && this.#table.find(parseRecord(bytes, 0)) === undefined) this.#table.enter(slot, bytes);
      else free.push(slot);
    }
    // Only now, or the next record would get one of them.
    for (const slot of free) this.#table.release(slot);
  }

  get stats(): BlockCacheStats {
    const slotBytes = this.chunkBytes + recordBytes;
    const bytes = this.#table.taken * slotBytes;
    return { ...this.#counts, chunks: this.#table.held, bytes, bytesMax: this.#slots * slotBytes };
  }

  /**
   * A chunk, if it is there.
   *
   * @param objectBytes length of the object as it is now; null if that is not known
   */
  get(
    object: CachedObject,
    chunk: number,
    objectBytes: number | null,
  ): { bytes: Uint8Array; objectBytes: number } | null {
    const slot = this.#table.find({ block: hashOf(object.block), object: object.number, chunk });
    if (slot === undefined) {
      this.#counts.misses++;
      return null;
    }
    const record = this.#table.record(slot);
    const isSame =
      record.content === object.content && (objectBytes === null || record.objectBytes === objectBytes);
    const bytes = isSame ? this.#files.read(slot, record) : null;
    if (bytes === null) {
      if (isSame) this.#counts.corrupt++;
      this.#counts.misses++;
      this.#table.drop(slot);
      return null;
    }
    this.#table.use(slot);
    this.#counts.hits++;
    this.#counts.hitBytes += bytes.length;
    return { bytes, objectBytes: record.objectBytes };
  }

  /** Keeps a chunk, if the disk has room for it. */
  put(object: CachedObject, chunk: number, objectBytes: number, bytes: Uint8Array): void {
    if (this.#now() < this.#pausedUntil || bytes.length > this.chunkBytes) return;
    const key = { block: hashOf(object.block), object: object.number, chunk };
    // Others may have read it meanwhile.
    const before = this.#table.find(key);
    if (before !== undefined) {
      const known = this.#table.record(before);
      if (known.objectBytes === objectBytes && known.content === object.content) return;
      this.#table.drop(before);
    }
    const { content } = object;
    const checksum = checksumOf(bytes);
    const record = printRecord({ ...key, length: bytes.length, checksum, objectBytes, content });
    const { slot, evicted } = this.#table.take();
    if (evicted) this.#counts.evictions++;
    try {
      this.#files.write(slot, record, bytes);
    } catch (error) {
      this.#table.release(slot);
      this.#counts.writeErrors++;
      this.#pausedUntil = this.#now() + pauseMs;
      log.warn("the cache of blocks can't be written; queries read from the store", {
        error: error as Error,
      });
      return;
    }
    this.#table.enter(slot, record);
    this.#counts.writtenBytes += bytes.length;
  }

  /** Lets go of all blocks but these: the others have been deleted. */
  retain(blocks: Iterable<string>): void {
    // By 48 bits of the hash: a block that is like another in these stays until it is not used, which does no harm.
    const kept = new Set(Array.from(blocks, (block) => hashOf(block).readUIntLE(0, 6)));
    this.#table.dropBlocks((hash) => !kept.has(hash.readUIntLE(0, 6)));
  }

  /** Lets go of one block, which has been written or deleted. */
  forget(block: string): void {
    const gone = hashOf(block);
    this.#table.dropBlocks((hash) => hash.equals(gone));
  }

  close(): void {
    this.#files.close();
  }
}

function hashOf(block: string): Buffer {
  return createHash("sha256").update(block).digest().subarray(0, blockHashBytes);
}
