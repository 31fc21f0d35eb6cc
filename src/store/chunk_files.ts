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

const magic = 0x31434252; // "RBC1"
const headerBytes = 16;
/** Of a record: 16 of the block's hash, object, chunk, length, checksum of the chunk, u64 bytes of the object, checksum of the record. */
export const recordBytes = 48;
export const blockHashBytes = 16;
const fileMode = 0o600;
const directoryMode = 0o700;

/** A chunk of an object of a block. */
export interface ChunkRecord {
  /** Hash of the tenant and the block. */
  block: Uint8Array;
  /** Which of the block's objects. */
  object: number;
  chunk: number;
  length: number;
  checksum: number;
  /** Length of the whole object. */
  objectBytes: number;
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

  /** What is in each slot, as far as that can be told; the files are then no longer than they may be. */
  load(): (ChunkRecord | null)[] {
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
    return Array.from({ length: slots }, (_, slot) =>
      parseRecord(bytes.subarray(headerBytes + slot * recordBytes, headerBytes + (slot + 1) * recordBytes)),
    );
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
  write(slot: number, record: ChunkRecord, bytes: Uint8Array): void {
    this.#write(this.#chunks, bytes, slot * this.#chunkBytes);
    this.#write(this.#records, printRecord(record), headerBytes + slot * recordBytes);
  }

  close(): void {
    closeSync(this.#records);
    closeSync(this.#chunks);
  }
}

export function checksumOf(bytes: Uint8Array): number {
  return crc32(bytes);
}

function printRecord(record: ChunkRecord): Buffer {
  const bytes = Buffer.alloc(recordBytes);
  bytes.set(record.block, 0);
  bytes.writeUInt32LE(record.object, 16);
  bytes.writeUInt32LE(record.chunk, 20);
  bytes.writeUInt32LE(record.length, 24);
  bytes.writeUInt32LE(record.checksum, 28);
  bytes.writeDoubleLE(record.objectBytes, 32);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, recordBytes - 4)), recordBytes - 4);
  return bytes;
}

function parseRecord(bytes: Buffer): ChunkRecord | null {
  if (bytes.readUInt32LE(recordBytes - 4) !== crc32(bytes.subarray(0, recordBytes - 4))) return null;
  return {
    block: new Uint8Array(bytes.subarray(0, blockHashBytes)),
    object: bytes.readUInt32LE(16),
    chunk: bytes.readUInt32LE(20),
    length: bytes.readUInt32LE(24),
    checksum: bytes.readUInt32LE(28),
    objectBytes: bytes.readDoubleLE(32),
  };
}
