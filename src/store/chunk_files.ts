// The two files of a cache of chunks: `chunks`, in which each has a slot of its own, and `records`, which say of each slot what is in it.
// A record carries a checksum over itself and its chunk, so that nothing has to be synced: what a crash has left half written is no chunk.
import {
  closeSync,
  constants,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";

const magic = 0x32434252; // "RBC2"
const headerBytes = 16;
/** Of a record: 16 of the block's hash, object, chunk, length, checksum of the chunk, bytes of the object as a double, content, checksum of the record. */
export const recordBytes = 48;
export const blockHashBytes = 16;
const fileMode = 0o600;
const directoryMode = 0o700;

/** Which chunk of which object of which block. */
export interface ChunkKey {
  /** Hash of the tenant and the block. */
  block: Buffer;
  /** Which of the block's objects. */
  object: number;
  chunk: number;
}

export interface ChunkRecord extends ChunkKey {
  length: number;
  checksum: number;
  /** Length of the whole object. */
  objectBytes: number;
  /** What the block was made of, as its readers knew it: another block of the same id has another. */
  content: number;
}

/** What of node:fs writes; tests give their own, of a disk that is full. */
export type WriteAt = (file: number, bytes: Uint8Array, position: number) => void;

export const writeAt: WriteAt = (file, bytes, position) => {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(file, bytes, done, bytes.length - done, position + done);
  }
};

export class ChunkFiles {
  readonly #chunks: number;
  readonly #records: number;
  readonly #chunkBytes: number;
  readonly #slots: number;
  readonly #write: WriteAt;

  /**
   * Opens the files of a folder, or makes them. Those of another size of chunks are emptied.
   *
   * @throws Error of node:fs
   */
  constructor(folder: string, chunkBytes: number, slots: number, write: WriteAt = writeAt) {
    mkdirSync(folder, { recursive: true, mode: directoryMode });
    this.#chunkBytes = chunkBytes;
    this.#slots = slots;
    this.#write = write;
    const flags = constants.O_RDWR | constants.O_CREAT;
    this.#records = openSync(join(folder, "records"), flags, fileMode);
    this.#chunks = openSync(join(folder, "chunks"), flags, fileMode);
  }

  /** The records of all slots, whole or not; the files are then no longer than they may be. */
  load(): Buffer {
    const bytes = readFileSync(this.#records);
    const isOurs =
      bytes.length >= headerBytes &&
      bytes.readUInt32LE(0) === magic &&
      bytes.readUInt32LE(4) === this.#chunkBytes;
    const slots = isOurs ? Math.min(this.#slots, Math.floor((bytes.length - headerBytes) / recordBytes)) : 0;
    ftruncateSync(this.#records, isOurs ? headerBytes + slots * recordBytes : 0);
    // Longer by the end of the last chunk, where that is cut off.
    ftruncateSync(this.#chunks, slots * this.#chunkBytes);
    if (!isOurs) this.#writeHeader();
    return bytes.subarray(headerBytes, headerBytes + slots * recordBytes);
  }

  #writeHeader(): void {
    const header = Buffer.alloc(headerBytes);
    header.writeUInt32LE(magic, 0);
    header.writeUInt32LE(this.#chunkBytes, 4);
    this.#write(this.#records, header, 0);
  }

  /** A chunk, if it is there whole. */
  read(slot: number, record: ChunkRecord): Uint8Array | null {
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(record.length).buffer);
    try {
      for (let done = 0; done < bytes.length; ) {
        const position = slot * this.#chunkBytes + done;
        const read = readSync(this.#chunks, bytes, done, bytes.length - done, position);
        if (read === 0) return null;
        done += read;
      }
    } catch {
      return null; // the disk is damaged there
    }
    return checksumOf(bytes) === record.checksum ? bytes : null;
  }

  /** @throws Error of node:fs, of a full disk for one; the slot then holds nothing that could be read */
  write(slot: number, record: Uint8Array, bytes: Uint8Array): void {
    this.#write(this.#chunks, bytes, slot * this.#chunkBytes);
    this.#write(this.#records, record, headerBytes + slot * recordBytes);
  }

  close(): void {
    closeSync(this.#records);
    closeSync(this.#chunks);
  }
}

export function checksumOf(bytes: Uint8Array): number {
  return crc32(bytes);
}

export function printRecord(record: ChunkRecord): Buffer {
  const bytes = Buffer.alloc(recordBytes);
  bytes.set(record.block, 0);
  bytes.writeUInt32LE(record.object, 16);
  bytes.writeUInt32LE(record.chunk, 20);
  bytes.writeUInt32LE(record.length, 24);
  bytes.writeUInt32LE(record.checksum, 28);
  bytes.writeDoubleLE(record.objectBytes, 32);
  bytes.writeUInt32LE(record.content, 40);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, recordBytes - 4)), recordBytes - 4);
  return bytes;
}

/** Whether a record is what was once written. */
export function isWhole(record: Buffer): boolean {
  return record.readUInt32LE(recordBytes - 4) === crc32(record.subarray(0, recordBytes - 4));
}

/** The block is a view. */
export function keyOf(records: Buffer, start: number): ChunkKey {
  return {
    block: records.subarray(start, start + blockHashBytes),
    object: records.readUInt32LE(start + 16),
    chunk: records.readUInt32LE(start + 20),
  };
}

export function parseRecord(records: Buffer, start: number): ChunkRecord {
  return {
    ...keyOf(records, start),
    length: records.readUInt32LE(start + 24),
    checksum: records.readUInt32LE(start + 28),
    objectBytes: records.readDoubleLE(start + 32),
    content: records.readUInt32LE(start + 40),
  };
}
