// The store on a local disk, laid out as Tempo's `local` backend: an object is a file. New files are written beside their place,
// synced, then renamed, so that a crash leaves the old file or the new one.
import { createHash, randomBytes } from "node:crypto";
import { closeSync, constants, openSync, readFileSync, readSync, renameSync, writeSync } from "node:fs";
import {
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  unlink,
} from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { lockFile } from "./file_lock.ts";
import { checkPath } from "./object_path.ts";
import type { ObjectWriter, Store, StoreRange, TaggedObject } from "./store.ts";
import { StoreError, StoreNotFound } from "./store_error.ts";
import { checkRange, endsBefore } from "./store_range.ts";

const directoryMode = 0o700;
const fileMode = 0o600;
/** An object that is still being written ends so; readers never ask for one. */
const partSuffix = ".part";
/** Beside an object that is about to be replaced by writeIf(). */
const lockSuffix = ".lock";
/** Parts, and what a lock is made of. */
const leftover = /\.part$|\.lock[.-][^/]*$/;

export class LocalStore implements Store {
  readonly remote = false;
  readonly root: string;

  /** @param root directory, made when the first object is written */
  constructor(root: string) {
    this.root = resolve(root);
  }

  async list(prefix: string): Promise<string[]> {
    try {
      const entries = await readdir(this.#place(prefix), { withFileTypes: true });
      return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    } catch (error) {
      if (isMissing(error)) return [];
      throw failure("list", prefix, error);
    }
  }

  async read(path: string): Promise<Uint8Array> {
    try {
      return await readFile(this.#place(path));
    } catch (error) {
      throw failure("read", path, error);
    }
  }

  async readRange(path: string, offset: number, length: number): Promise<Uint8Array> {
    const [bytes] = await this.readRanges(path, [{ offset, length }]);
    return bytes!;
  }

  /** Reads in the calling thread: a few µs from the page cache, where a round trip through the runtime's own pool takes up to 50. */
  async readRanges(path: string, ranges: readonly StoreRange[]): Promise<Uint8Array[]> {
    let file: number;
    try {
      file = openSync(this.#place(path), constants.O_RDONLY);
    } catch (error) {
      throw failure("read", path, error);
    }
    try {
      return ranges.map(({ offset, length }) => readExactly(file, path, offset, length));
    } catch (error) {
      throw failure("read", path, error);
    } finally {
      closeSync(file);
    }
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    const writer = await this.create(path);
    try {
      await writer.write(bytes);
    } catch (error) {
      await writer.abort();
      throw error;
    }
    await writer.close();
  }

  async create(path: string): Promise<ObjectWriter> {
    const place = this.#place(path);
    const part = `${place}.${randomBytes(6).toString("hex")}${partSuffix}`;
    try {
      await makeDirectory(dirname(place));
      return new LocalWriter(path, place, part, await open(part, "wx", fileMode));
    } catch (error) {
      throw failure("write", path, error);
    }
  }

  async delete(path: string): Promise<void> {
    try {
      await unlink(this.#place(path));
    } catch (error) {
      if (!isMissing(error)) throw failure("delete", path, error);
    }
  }

  async deleteAll(prefix: string): Promise<void> {
    const place = this.#place(prefix);
    if (place === this.root) throw new StoreError("store: will not delete everything");
    try {
      await rm(place, { recursive: true, force: true });
    } catch (error) {
      throw failure("delete", prefix, error);
    }
  }

  /** Beside objects of a tenant, that is: folders of blocks are deleted whole. */
  async removeLeftovers(beforeMs: number): Promise<void> {
    for (const tenant of await this.list("")) {
      const folder = this.#place(tenant);
      try {
        for (const name of (await readdir(folder)).filter((each) => leftover.test(each))) {
          const place = join(folder, name);
          if ((await stat(place)).mtimeMs < beforeMs) await rm(place, { force: true });
        }
      } catch (error) {
        if (!isMissing(error)) throw failure("clean up", tenant, error);
      }
    }
  }

  async modified(path: string): Promise<number> {
    try {
      return (await stat(this.#place(path))).mtimeMs;
    } catch (error) {
      throw failure("stat", path, error);
    }
  }

  async size(path: string): Promise<number> {
    try {
      return (await stat(this.#place(path))).size;
    } catch (error) {
      throw failure("stat", path, error);
    }
  }

  async readTagged(path: string): Promise<TaggedObject | null> {
    try {
      const bytes = await this.read(path);
      return { bytes, tag: tagOf(bytes) };
    } catch (error) {
      if (error instanceof StoreNotFound) return null;
      throw error;
    }
  }

  async writeIf(path: string, bytes: Uint8Array, tag: string | null): Promise<string | null> {
    const place = this.#place(path);
    const part = `${place}.${randomBytes(6).toString("hex")}${partSuffix}`;
    try {
      // Not made for an object that would have to be there: its directory may just be on its way out.
      if (tag === null) await makeDirectory(dirname(place));
      await writeSynced(part, bytes);
      const written = tag === null ? await linkNew(part, place) : await this.#replace(part, place, tag);
      if (!written) return null;
      await syncDirectory(dirname(place));
      return tagOf(bytes);
    } catch (error) {
      if (tag !== null && isMissing(error)) return null;
      throw failure("write", path, error);
    } finally {
      await rm(part, { force: true });
    }
  }

  /** Looks and replaces in one go, without a turn of the event loop, so that the lock is held for microseconds. */
  async #replace(part: string, place: string, tag: string): Promise<boolean> {
    const lock = await lockFile(`${place}${lockSuffix}`);
    try {
      if (tagOf(readFileSync(place)) !== tag || !lock.isHeld()) return false;
      renameSync(part, place);
      return true;
    } finally {
      lock.release();
    }
  }

  #place(path: string): string {
    checkPath(path);
    return join(this.root, path);
  }
}

class LocalWriter implements ObjectWriter {
  readonly #path: string;
  readonly #place: string;
  readonly #part: string;
  readonly #file: FileHandle;
  #open = true;

  constructor(path: string, place: string, part: string, file: FileHandle) {
    this.#path = path;
    this.#place = place;
    this.#part = part;
    this.#file = file;
  }

  /** Writes in the calling thread, since the bytes may be a view on memory that the caller changes next. */
  write(bytes: Uint8Array): void {
    try {
      for (let written = 0; written < bytes.length; ) {
        written += writeSync(this.#file.fd, bytes, written, bytes.length - written);
      }
    } catch (error) {
      throw failure("write", this.#path, error);
    }
  }

  async close(): Promise<void> {
    try {
      await this.#file.sync();
      await this.#closeFile();
      await rename(this.#part, this.#place);
      await syncDirectory(dirname(this.#place));
    } catch (error) {
      await this.abort();
      throw failure("write", this.#path, error);
    }
  }

  async abort(): Promise<void> {
    await this.#closeFile().catch(() => {});
    await rm(this.#part, { force: true });
  }

  async #closeFile(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#file.close();
  }
}

async function writeSynced(place: string, bytes: Uint8Array): Promise<void> {
  const file = await open(place, "wx", fileMode);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** False if there is such a file: unlike a rename, a link never replaces one. */
async function linkNew(part: string, place: string): Promise<boolean> {
  try {
    await link(part, place);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function tagOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Makes a directory with all that lead to it; the names of those that are new outlive a crash. */
async function makeDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true, mode: directoryMode });
  if (first === undefined) return;
  for (let made = directory; made.length >= first.length; made = dirname(made)) {
    await syncDirectory(dirname(made));
  }
}

/** A rename outlives a crash once its directory is synced. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function readExactly(file: number, path: string, offset: number, length: number): Uint8Array {
  checkRange(path, { offset, length });
  // Not allocated before the file is known to be as long, so that a damaged footer cannot ask for gigabytes.
  if (length > 0 && readSync(file, oneByte, 0, 1, offset + length - 1) !== 1) {
    throw endsBefore(path, { offset, length });
  }
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  for (let done = 0; done < length; ) {
    const read = readSync(file, bytes, done, length - done, offset + done);
    if (read === 0) throw endsBefore(path, { offset, length });
    done += read;
  }
  return bytes;
}

const oneByte = new Uint8Array(1);

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}

function failure(what: string, path: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  if (isMissing(error)) return new StoreNotFound(path, { cause: error });
  const reason = error instanceof Error ? error.message : String(error);
  return new StoreError(`store: cannot ${what} ${path}: ${reason}`, { cause: error });
}
