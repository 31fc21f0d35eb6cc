// Reads a WAL segment back, record by record, in bounded memory. Damage is stepped over: the next whole record is found by
// its header, which only the process that wrote the segment can have made.

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { requestBytesMax } from "./api.ts";
import {
  isPayloadOf,
  parseSegmentHeader,
  RecordCodec,
  type RecordHeader,
  recordHeaderBytes,
  recordMagic,
  type SegmentIdentity,
  segmentHeaderBytes,
} from "./wal_record.ts";

/** Read from the file at a time; a longer record takes a buffer of its own length. */
const windowBytes = 1 << 20;

export interface WalRecord {
  number: number;
  /** A view that the next read overwrites. */
  payload: Uint8Array;
  /** Where the record ends in the file. */
  end: number;
}

export interface SegmentState {
  /** From the header; the file's modification time if that is damaged. */
  createdMs: number;
  /** Where the last whole record ends. */
  bytes: number;
  /** Number after the last whole record's. */
  records: number;
  /** Bytes at the end that are no whole record because they were still being written. */
  tornBytes: number;
  /** Places where something stood that can't be read any more. */
  corruptions: number;
  corruptBytes: number;
}

export class WalReader {
  readonly #file: number;
  readonly #size: number;
  readonly #codec: RecordCodec;
  readonly #state: SegmentState;
  #window = new Uint8Array(windowBytes);
  #windowAt = 0;
  #windowLength = 0;
  #offset = segmentHeaderBytes;
  #closed = false;

  constructor(path: string, identity: SegmentIdentity) {
    this.#file = openSync(path, "r");
    const { size, mtimeMs } = fstatSync(this.#file);
    this.#size = size;
    this.#codec = new RecordCodec(identity.uuid);
    const header = this.#read(0, Math.min(size, segmentHeaderBytes));
    const createdMs = parseSegmentHeader(header, identity);
    this.#state = {
      createdMs: createdMs ?? mtimeMs,
      bytes: segmentHeaderBytes,
      records: 0,
      tornBytes: 0,
      corruptions: 0,
      corruptBytes: 0,
    };
    if (createdMs !== null) return;
    if (size <= segmentHeaderBytes) {
      // The process ended while it created the segment: nothing can have been acknowledged from it.
      this.#state.tornBytes = size;
      this.#offset = size;
    } else {
      this.#corrupt(segmentHeaderBytes);
    }
  }

  /** What is known of the segment: all of it once next() has returned null. */
  get state(): Readonly<SegmentState> {
    return this.#state;
  }

  /** The next whole record, or null at the end. */
  next(): WalRecord | null {
    const state = this.#state;
    while (this.#offset < this.#size) {
      const at = this.#offset;
      const header = this.#headerAt(at);
      if (!header) {
        this.#skipFrom(at);
        continue;
      }
      const end = at + recordHeaderBytes + header.length;
      if (end > this.#size) {
        state.tornBytes = this.#size - at;
        this.#offset = this.#size;
        return null;
      }
      const payload = this.#read(at + recordHeaderBytes, header.length);
      this.#offset = end;
      if (!isPayloadOf(header, payload)) {
        this.#corrupt(end - at);
        continue;
      }
      state.bytes = end;
      state.records = header.number + 1;
      return { number: header.number, payload, end };
    }
    return null;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#file);
  }

  #headerAt(offset: number): RecordHeader | null {
    if (offset + recordHeaderBytes > this.#size) return null;
    const header = this.#codec.parse(this.#read(offset, recordHeaderBytes));
    // Numbers rise, so a header that has been passed can't come back.
    if (!header || header.number < this.#state.records || header.length > requestBytesMax) return null;
    return header;
  }

  /** Moves on to the next header after `from`, where none stands. */
  #skipFrom(from: number): void {
    const next = this.#findHeader(from + 1);
    this.#offset = next;
    if (next < this.#size) {
      this.#corrupt(next - from);
    } else if (this.#isTorn(from)) {
      this.#state.tornBytes = this.#size - from;
    } else {
      this.#corrupt(this.#size - from);
    }
  }

  #findHeader(from: number): number {
    let at = from;
    while (at + recordHeaderBytes <= this.#size) {
      const length = Math.min(windowBytes, this.#size - at);
      const window = this.#read(at, length);
      const bytes = Buffer.from(window.buffer, window.byteOffset, length);
      for (let i = bytes.indexOf(recordMagic); i >= 0; i = bytes.indexOf(recordMagic, i + 1)) {
        if (i + recordHeaderBytes > length) break;
        const header = this.#codec.parse(bytes.subarray(i));
        if (header && header.number >= this.#state.records) return at + i;
      }
      if (at + length >= this.#size) break;
      at += length - recordHeaderBytes + 1;
    }
    return this.#size;
  }

  /** A tail that was still being written: part of a header, or room that the file system had not filled yet. */
  #isTorn(from: number): boolean {
    if (this.#size - from < recordHeaderBytes) return true;
    for (let at = from; at < this.#size; at += windowBytes) {
      const bytes = this.#read(at, Math.min(windowBytes, this.#size - at));
      for (const byte of bytes) if (byte !== 0) return false;
    }
    return true;
  }

  #corrupt(bytes: number): void {
    this.#state.corruptions++;
    this.#state.corruptBytes += bytes;
  }

  /** A view on bytes of the file, valid until the next read. The range lies within the file. */
  #read(offset: number, length: number): Uint8Array {
    const start = offset - this.#windowAt;
    if (start >= 0 && start + length <= this.#windowLength)
      return this.#window.subarray(start, start + length);
    const wanted = Math.max(length, Math.min(windowBytes, this.#size - offset));
    if (wanted > this.#window.length || (this.#window.length > windowBytes && wanted <= windowBytes)) {
      this.#window = new Uint8Array(Math.max(wanted, windowBytes));
    }
    this.#windowAt = offset;
    this.#windowLength = 0;
    while (this.#windowLength < wanted) {
      const got = readSync(
        this.#file,
        this.#window,
        this.#windowLength,
        wanted - this.#windowLength,
        offset + this.#windowLength,
      );
      if (got === 0)
        throw new Error(`wal segment ended early: ${offset + this.#windowLength} of ${this.#size} bytes`);
      this.#windowLength += got;
    }
    return this.#window.subarray(0, length);
  }
}
