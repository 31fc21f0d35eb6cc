// One WAL segment that is being written: records are appended in groups, and a group is there whole or not at all.

import { dirname } from "node:path";
import { requestBytesMax } from "./api.ts";
import { type WalFiles, walFiles } from "./wal_files.ts";
import {
  printSegmentHeader,
  RecordCodec,
  recordHeaderBytes,
  type SegmentIdentity,
  segmentHeaderBytes,
} from "./wal_record.ts";

/** Buffers per system call; Linux takes 1024. */
const writeBuffersMax = 512;

/** A group of records that is not in the log: none of it may be acknowledged. Its text goes to clients, so it names no path. */
export class WalError extends Error {
  override readonly name = "WalError";
  readonly code = "unavailable";

  static from(subject: string, cause: unknown): WalError {
    return new WalError(`${subject}: ${reasonOf(cause)}`, { cause });
  }
}

export class WalSegment {
  readonly path: string;
  readonly identity: SegmentIdentity;
  readonly createdMs: number;
  readonly #files: WalFiles;
  readonly #codec: RecordCodec;
  #file: number | null;
  #bytes: number;
  #records: number;
  #syncedBytes: number;
  #unsyncedSince = 0;
  #broken = false;
  #syncing: Promise<void> | null = null;

  private constructor(
    path: string,
    identity: SegmentIdentity,
    createdMs: number,
    files: WalFiles,
    at: { file: number; bytes: number; records: number },
  ) {
    this.path = path;
    this.identity = identity;
    this.createdMs = createdMs;
    this.#files = files;
    this.#codec = new RecordCodec(identity.uuid);
    this.#file = at.file;
    this.#bytes = at.bytes;
    this.#syncedBytes = at.bytes;
    this.#records = at.records;
  }

  /**
   * Starts a segment. Its directory exists.
   *
   * @param durable make the file's name survive a lost machine, not only its bytes
   * @throws WalError, leaving no file
   */
  static create(
    path: string,
    identity: SegmentIdentity,
    createdMs: number,
    durable: boolean,
    files: WalFiles = walFiles,
  ): WalSegment {
    let file: number | null = null;
    try {
      file = files.open(path, "create");
      const header = printSegmentHeader(identity, createdMs);
      writeAll(files, file, [header], 0);
      if (durable) {
        files.sync(file);
        files.syncDirectory(dirname(path));
      }
    } catch (cause) {
      if (file !== null) quietly(() => files.close(file as number));
      if (file !== null) quietly(() => files.remove(path));
      throw WalError.from("wal segment cannot be created", cause);
    }
    return new WalSegment(path, identity, createdMs, files, { file, bytes: segmentHeaderBytes, records: 0 });
  }

  /** Goes on with a segment that was read back: `bytes` is where its last whole record ends; what follows is cut off. */
  static reopen(
    path: string,
    identity: SegmentIdentity,
    createdMs: number,
    bytes: number,
    records: number,
    files: WalFiles = walFiles,
  ): WalSegment {
    const file = files.open(path, "append");
    try {
      files.truncate(file, bytes);
      files.sync(file); // what the earlier process left unsynced was acknowledged all the same
    } catch (cause) {
      quietly(() => files.close(file));
      throw cause;
    }
    return new WalSegment(path, identity, createdMs, files, { file, bytes, records });
  }

  /** Length of the file up to the end of its last whole record. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Number that the next record gets. */
  get records(): number {
    return this.#records;
  }

  /** Bytes that were appended but not synced. */
  get unsyncedBytes(): number {
    return this.#bytes - this.#syncedBytes;
  }

  /** performance.now() of the oldest of them; 0 if there are none. */
  get unsyncedSince(): number {
    return this.unsyncedBytes > 0 ? this.#unsyncedSince : 0;
  }

  /** No more can be appended: a write failed and could not be undone, or a sync failed. What is there can be read. */
  get broken(): boolean {
    return this.#broken;
  }

  /**
   * Appends records with one write. They are safe from the end of this process when it returns.
   *
   * @throws WalError; the segment is then as it was, or `broken`
   */
  append(payloads: readonly Uint8Array[]): void {
    if (this.#file === null || this.#broken) throw new WalError("wal segment takes no more records");
    const headers = new Uint8Array(payloads.length * recordHeaderBytes);
    const buffers: Uint8Array[] = [];
    let bytes = 0;
    for (let i = 0; i < payloads.length; i++) {
      const payload = payloads[i]!;
      if (payload.length > requestBytesMax) {
        throw new WalError(`wal record of ${payload.length} bytes is too long: at most ${requestBytesMax}`);
      }
      const header = headers.subarray(i * recordHeaderBytes, (i + 1) * recordHeaderBytes);
      this.#codec.print(header, this.#records + i, payload);
      buffers.push(header, payload);
      bytes += recordHeaderBytes + payload.length;
    }
    try {
      writeAll(this.#files, this.#file, buffers, this.#bytes);
    } catch (cause) {
      try {
        this.#files.truncate(this.#file, this.#bytes);
      } catch {
        this.#broken = true;
      }
      throw WalError.from("wal append failed", cause);
    }
    if (this.unsyncedBytes === 0) this.#unsyncedSince = performance.now();
    this.#bytes += bytes;
    this.#records += payloads.length;
  }

  /**
   * Syncs before it returns.
   *
   * @throws WalError; the segment is then broken, since nobody knows what the disk holds
   */
  sync(): void {
    if (this.#file === null || this.unsyncedBytes === 0) return;
    try {
      this.#files.sync(this.#file);
    } catch (cause) {
      this.#broken = true;
      throw WalError.from("wal sync failed", cause);
    }
    this.#syncedBytes = this.#bytes;
  }

  /** Syncs in the background what is there now. Rejects as sync() throws. */
  async syncLater(): Promise<void> {
    if (this.#syncing) return this.#syncing;
    if (this.#file === null || this.unsyncedBytes === 0) return;
    const upTo = this.#bytes;
    const startedAt = performance.now();
    this.#syncing = this.#files
      .syncLater(this.#file)
      .then(
        () => {
          this.#syncedBytes = upTo;
          this.#unsyncedSince = startedAt;
        },
        (cause) => {
          this.#broken = true;
          throw WalError.from("wal sync failed", cause);
        },
      )
      .finally(() => {
        this.#syncing = null;
      });
    return this.#syncing;
  }

  /** Closes the file; what was appended stays. */
  async close(): Promise<void> {
    await this.#syncing?.catch(() => {});
    if (this.#file === null) return;
    const file = this.#file;
    this.#file = null;
    this.#files.close(file);
  }

  /** Closes and removes the file. */
  async remove(): Promise<void> {
    await this.close();
    this.#files.remove(this.path);
  }
}

function writeAll(files: WalFiles, file: number, buffers: Uint8Array[], position: number): void {
  let at = position;
  for (let first = 0; first < buffers.length; first += writeBuffersMax) {
    let rest = buffers.slice(first, first + writeBuffersMax);
    while (rest.length > 0) {
      const written = files.write(file, rest, at);
      if (!(written > 0)) throw new Error(`only ${at - position} bytes could be written`);
      at += written;
      rest = after(rest, written);
    }
  }
}

/** What is left of the buffers when their first `bytes` bytes are done. */
function after(buffers: Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes;
  for (let i = 0; i < buffers.length; i++) {
    const buffer = buffers[i]!;
    if (left < buffer.length) return [buffer.subarray(left), ...buffers.slice(i + 1)];
    left -= buffer.length;
  }
  return [];
}

function quietly(run: () => void): void {
  try {
    run();
  } catch {
    // The error that led here is the one to tell.
  }
}

/** The system's name of an error such as ENOSPC, or its text. */
function reasonOf(cause: unknown): string {
  const { code } = cause as { code?: unknown };
  if (typeof code === "string") return code;
  return cause instanceof Error ? cause.message : String(cause);
}
