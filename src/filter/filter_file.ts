// The filters of blocks in one file beside the WAL, so that a process that starts again need not read the first column of every block.
// Entries are only ever appended, each behind its length and a checksum; where more than half are of blocks that are gone, it is written anew.
//
// Nothing depends on it: what can't be read is made again, and what can't be written is not kept.
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import type { BlockMeta } from "../block/meta.ts";
import { log } from "../telemetry/log.ts";
import type { StoredFilters } from "./block_filters.ts";

const magic = 0x45465452; // "RTFE"
/** u32 each: magic, length of the key, length of the filter, checksum of both. */
const headerBytes = 16;
const keyBytesMax = 1024;
/** Less than this of what is gone is not worth writing the file again. */
const deadBytesMin = 64 << 10;
/** Entries of this many bytes beside the filters that may be held in memory: keys and headers. */
const extraShare = 1.25;
const extraBytesMin = 1 << 20;
const fileMode = 0o600;

interface Place {
  /** Of the filter in the file. */
  offset: number;
  length: number;
}

export class FilterFile implements StoredFilters {
  readonly #path: string;
  readonly #bytesMax: number;
  readonly #write: typeof writeSync;
  /** By tenant and block. */
  #places = new Map<string, Place>();
  #bytes = 0;
  /** Once something went wrong nothing more is kept until the next start. */
  #isUsable = true;

  /**
   * @param path made if it is missing
   * @param filterBytesMax bytes of all filters that there are at a time; the file has at most some 2.5 times that
   * @param write tests give their own, of a disk that is full
   */
  constructor(path: string, filterBytesMax: number, write: typeof writeSync = writeSync) {
    this.#path = path;
    this.#bytesMax = Math.floor(2 * extraShare * filterBytesMax) + extraBytesMin;
    this.#write = write;
  }

  get bytes(): number {
    return this.#bytes;
  }

  load(metas: readonly BlockMeta[]): Map<BlockMeta, Uint8Array<ArrayBuffer>> {
    const found = new Map<BlockMeta, Uint8Array<ArrayBuffer>>();
    const file = this.#read();
    this.#places = placesIn(file);
    this.#bytes = endOf(this.#places);
    for (const meta of metas) {
      const place = this.#places.get(keyOf(meta));
      if (place) found.set(meta, file.slice(place.offset, place.offset + place.length));
    }
    // Behind what is damaged nothing can be appended.
    if (this.#bytes < file.length) this.#guarded(() => this.#rewrite(file));
    return found;
  }

  #read(): Uint8Array<ArrayBuffer> {
    try {
      return new Uint8Array(readFileSync(this.#path));
    } catch {
      return new Uint8Array(0); // most often there is none yet
    }
  }

  add(meta: BlockMeta, bytes: Uint8Array): void {
    const key = keyOf(meta);
    const entry = printEntry(key, bytes);
    if (this.#bytes + entry.length > this.#bytesMax) return;
    this.#guarded(() => {
      mkdirSync(dirname(this.#path), { recursive: true });
      const file = openSync(this.#path, this.#bytes === 0 ? "w" : "r+", fileMode);
      try {
        this.#writeAll(file, entry, this.#bytes);
      } finally {
        closeSync(file);
      }
      this.#bytes += entry.length;
      this.#places.set(key, { offset: this.#bytes - bytes.length, length: bytes.length });
    });
  }

  retain(metas: Iterable<BlockMeta>): void {
    const kept = new Set([...metas].map(keyOf));
    for (const key of this.#places.keys()) if (!kept.has(key)) this.#places.delete(key);
    let live = 0;
    for (const [key, { length }] of this.#places) live += headerBytes + Buffer.byteLength(key) + length;
    if (this.#bytes - live < Math.max(live, deadBytesMin)) return;
    this.#guarded(() => this.#rewrite(this.#read()));
  }

  /** Writes what is live beside the file, and puts it in its place. */
  #rewrite(file: Uint8Array): void {
    const entries = [...this.#places]
      .filter(([, { offset, length }]) => offset + length <= file.length)
      .map(([key, { offset, length }]) => printEntry(key, file.subarray(offset, offset + length)));
    const bytes = Buffer.concat(entries);
    const part = `${this.#path}.part`;
    const target = openSync(part, "w", fileMode);
    try {
      this.#writeAll(target, bytes, 0);
    } finally {
      closeSync(target);
    }
    renameSync(part, this.#path);
    this.#places = placesIn(bytes);
    this.#bytes = bytes.length;
  }

  #writeAll(file: number, bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length; ) {
      done += this.#write(file, bytes, done, bytes.length - done, position + done);
    }
  }

  #guarded(change: () => void): void {
    if (!this.#isUsable) return;
    try {
      change();
    } catch (error) {
      this.#isUsable = false;
      rmSync(`${this.#path}.part`, { force: true });
      log.warn("the filters of blocks can't be kept on the disk; the next start makes them again", {
        path: this.#path,
        error: error as Error,
      });
    }
  }
}

function printEntry(key: string, filter: Uint8Array): Buffer {
  const name = Buffer.from(key);
  const entry = Buffer.alloc(headerBytes + name.length + filter.length);
  entry.set(name, headerBytes);
  entry.set(filter, headerBytes + name.length);
  entry.writeUInt32LE(magic, 0);
  entry.writeUInt32LE(name.length, 4);
  entry.writeUInt32LE(filter.length, 8);
  entry.writeUInt32LE(crc32(entry.subarray(headerBytes)), 12);
  return entry;
}

/** The entries up to the first that is damaged; of several of one block the last. */
function placesIn(file: Uint8Array): Map<string, Place> {
  const places = new Map<string, Place>();
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  for (let at = 0; at + headerBytes <= file.length; ) {
    const keyBytes = view.getUint32(at + 4, true);
    const length = view.getUint32(at + 8, true);
    const end = at + headerBytes + keyBytes + length;
    if (view.getUint32(at, true) !== magic || keyBytes > keyBytesMax || end > file.length) break;
    if (crc32(file.subarray(at + headerBytes, end)) !== view.getUint32(at + 12, true)) break;
    const key = Buffer.from(file.buffer, file.byteOffset + at + headerBytes, keyBytes).toString();
    // The last in the file is the last in the map, by which its end is known.
    places.delete(key);
    places.set(key, { offset: at + headerBytes + keyBytes, length });
    at = end;
  }
  return places;
}

function endOf(places: ReadonlyMap<string, Place>): number {
  const last = [...places.values()].at(-1);
  return last ? last.offset + last.length : 0;
}

function keyOf({ tenantID, blockID }: BlockMeta): string {
  return `${tenantID}/${blockID}`;
}
