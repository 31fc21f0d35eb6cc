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
  type ChunkRecord,
  checksumOf,
  recordBytes,
  type WriteAt,
} from "./chunk_files.ts";

/** Chunks of all threads, by what is kept of each in memory: some 100 bytes. */
const slotsMax = 1 << 17;
const chunkBytesMin = 64 << 10;
/** After a write that failed, nothing is written for so long: a full disk is given time. */
const pauseMs = 10_000;

/** Which object of which block. */
export interface CachedObject {
  /** `<tenant>/<block>` */
  block: string;
  /** Its number among those of a block. */
  number: number;
}

export interface ChunkCacheOptions {
  folder: string;
  bytesMax: number;
  chunkBytes: number;
  now?: () => number;
  write?: WriteAt;
}

/** Size of chunks in a cache of so many bytes in all: larger ones where they would be too many to know. */
export function chunkBytesOf(bytesMax: number): number {
  let bytes = chunkBytesMin;
  while (bytesMax / bytes > slotsMax) bytes *= 2;
  return bytes;
}

/** Slot by number of object and chunk. */
type BlockChunks = Map<number, number>;

export class ChunkCache {
  readonly chunkBytes: number;
  readonly #slots: number;
  readonly #files: ChunkFiles;
  readonly #now: () => number;
  /** By hash of the block. */
  readonly #blocks = new Map<string, BlockChunks>();
  /** By slot. */
  readonly #records: (ChunkRecord | null)[];
  readonly #used: Uint8Array;
  readonly #free: number[] = [];
  #hand = 0;
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
  #chunks = 0;

  /** @throws Error of node:fs if the folder can't be used */
  constructor({ folder, bytesMax, chunkBytes, now = () => performance.now(), write }: ChunkCacheOptions) {
    this.chunkBytes = chunkBytes;
    this.#slots = Math.max(1, Math.floor(bytesMax / (chunkBytes + recordBytes)));
    this.#now = now;
    this.#files = new ChunkFiles(folder, chunkBytes, this.#slots, write);
    this.#records = this.#files.load();
    this.#used = new Uint8Array(this.#slots);
    for (const [slot, record] of this.#records.entries()) {
      if (!record || record.length > chunkBytes || this.#slotOf(record) !== undefined) {
        this.#records[slot] = null;
        this.#free.push(slot);
      } else {
        this.#enter(slot, record);
      }
    }
  }

  get stats(): BlockCacheStats {
    const slotBytes = this.chunkBytes + recordBytes;
    const bytes = this.#records.length * slotBytes;
    return { ...this.#counts, chunks: this.#chunks, bytes, bytesMax: this.#slots * slotBytes };
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
    const slot = this.#blocks.get(hashOf(object.block))?.get(placeOf(object.number, chunk));
    const record = slot === undefined ? null : this.#records[slot]!;
    if (slot === undefined || record === null) {
      this.#counts.misses++;
      return null;
    }
    const isSame = objectBytes === null || record.objectBytes === objectBytes;
    const bytes = isSame ? this.#files.read(slot, record) : null;
    if (bytes === null) {
      if (isSame) this.#counts.corrupt++;
      this.#counts.misses++;
      this.#drop(slot);
      return null;
    }
    this.#used[slot] = 1;
    this.#counts.hits++;
    this.#counts.hitBytes += bytes.length;
    return { bytes, objectBytes: record.objectBytes };
  }

  /** Keeps a chunk, if the disk has room for it. */
  put(object: CachedObject, chunk: number, objectBytes: number, bytes: Uint8Array): void {
    if (this.#now() < this.#pausedUntil || bytes.length > this.chunkBytes) return;
    const block = Buffer.from(hashOf(object.block), "latin1");
    const record: ChunkRecord = {
      block,
      object: object.number,
      chunk,
      length: bytes.length,
      checksum: checksumOf(bytes),
      objectBytes,
    };
    // Others may have read it meanwhile.
    const before = this.#slotOf(record);
    if (before !== undefined && this.#records[before]!.objectBytes === objectBytes) return;
    if (before !== undefined) this.#drop(before);
    const slot = this.#takeSlot();
    try {
      this.#files.write(slot, record, bytes);
    } catch (error) {
      this.#free.push(slot);
      this.#counts.writeErrors++;
      this.#pausedUntil = this.#now() + pauseMs;
      log.warn("the cache of blocks can't be written; queries read from the store", {
        error: error as Error,
      });
      return;
    }
    this.#enter(slot, record);
    this.#counts.writtenBytes += bytes.length;
  }

  /** Lets go of all blocks but these: the others have been deleted. */
  retain(blocks: Iterable<string>): void {
    const kept = new Set([...blocks].map(hashOf));
    for (const [hash, chunks] of this.#blocks) {
      if (!kept.has(hash)) for (const slot of chunks.values()) this.#drop(slot);
    }
  }

  /** Lets go of one block, which has been written or deleted. */
  forget(block: string): void {
    for (const slot of this.#blocks.get(hashOf(block))?.values() ?? []) this.#drop(slot);
  }

  close(): void {
    this.#files.close();
  }

  #slotOf({ block, object, chunk }: ChunkRecord): number | undefined {
    return this.#blocks.get(Buffer.from(block).toString("latin1"))?.get(placeOf(object, chunk));
  }

  #enter(slot: number, record: ChunkRecord): void {
    const hash = Buffer.from(record.block).toString("latin1");
    let chunks = this.#blocks.get(hash);
    if (!chunks) {
      chunks = new Map();
      this.#blocks.set(hash, chunks);
    }
    chunks.set(placeOf(record.object, record.chunk), slot);
    this.#records[slot] = record;
    this.#used[slot] = 0;
    this.#chunks++;
  }

  #drop(slot: number): void {
    this.#remove(slot);
    this.#free.push(slot);
  }

  /** What its record on the disk says is no longer true once the slot is written again, and harmless until then. */
  #remove(slot: number): void {
    const record = this.#records[slot]!;
    const hash = Buffer.from(record.block).toString("latin1");
    const chunks = this.#blocks.get(hash)!;
    chunks.delete(placeOf(record.object, record.chunk));
    if (chunks.size === 0) this.#blocks.delete(hash);
    this.#records[slot] = null;
    this.#chunks--;
  }

  #takeSlot(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#records.length < this.#slots) {
      this.#records.push(null);
      return this.#records.length - 1;
    }
    // Each slot is passed by once at most: its mark is taken as the hand goes by.
    for (;;) {
      const slot = this.#hand;
      this.#hand = (slot + 1) % this.#slots;
      if (this.#used[slot] === 0) {
        this.#remove(slot);
        this.#counts.evictions++;
        return slot;
      }
      this.#used[slot] = 0;
    }
  }
}

function placeOf(object: number, chunk: number): number {
  return object * 2 ** 32 + chunk;
}

/** In as many characters as it has bytes. */
function hashOf(block: string): string {
  return createHash("sha256").update(block).digest().subarray(0, blockHashBytes).toString("latin1");
}
