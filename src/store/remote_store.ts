// A store on an object service of the network.
import { checkConditionalWrites } from "./conditional_writes.ts";
import { checkPath } from "./object_path.ts";
import { deleteKeysMax, type FoundObject, type ListRequest, type ObjectService } from "./object_service.ts";
import { RemoteWriter, type WriterLimits } from "./remote_writer.ts";
import type { ObjectWriter, Store, StoreRange, TaggedObject } from "./store.ts";
import { StoreError, StoreNotFound } from "./store_error.ts";
import { checkRange, endsBefore, joinRanges } from "./store_range.ts";

export interface RemoteStoreOptions extends WriterLimits {
  /** Before all paths; "" or with a "/" at its end. */
  prefix: string;
  /** Requests that list a long prefix together. */
  listsMax: number;
}

export class RemoteStore implements Store {
  readonly remote = true;
  readonly #service: ObjectService;
  readonly #options: RemoteStoreOptions;
  /** Whether conditions are minded; null as long as nobody has asked. */
  #conditions: Promise<void> | null = null;

  constructor(service: ObjectService, options: RemoteStoreOptions) {
    this.#service = service;
    this.#options = options;
  }

  /** The first page says whether there is more; the rest is listed side by side, cut where ids of blocks begin evenly. */
  async list(prefix: string): Promise<string[]> {
    const start = prefix === "" ? this.#options.prefix : `${this.#key(prefix)}/`;
    const first = await this.#service.list({ prefix: start, grouped: true }, unaborted());
    const names = first.prefixes.map((found) => found.slice(start.length, -1));
    if (first.next === null) return names;
    const last = [...first.prefixes, ...first.keys].sort().at(-1) ?? start;
    const cuts = hexCuts(this.#options.listsMax)
      .map((cut) => start + cut)
      .filter((cut) => cut > last);
    const rest = await Promise.all(
      [last, ...cuts].map((after, i) =>
        this.#namesBetween(start, after, i === 0 ? first.next : null, cuts[i]),
      ),
    );
    return [...names, ...rest.flat()];
  }

  /** @param next where to go on, instead of behind `after` */
  async #namesBetween(
    start: string,
    after: string,
    next: string | null,
    before: string | undefined,
  ): Promise<string[]> {
    const names: string[] = [];
    const request: ListRequest = { prefix: start, grouped: true, ...(next === null ? { after } : { next }) };
    for await (const { prefixes, keys } of this.#pages(request)) {
      for (const prefix of prefixes) {
        if (before === undefined || prefix < before) names.push(prefix.slice(start.length, -1));
      }
      if (before !== undefined && [...prefixes, ...keys].some((name) => name >= before)) break;
    }
    return names;
  }

  async *#pages(request: ListRequest) {
    for (let next: string | null | undefined = request.next; next !== null; ) {
      const page = await this.#service.list(next === undefined ? request : { ...request, next }, unaborted());
      yield page;
      next = page.next;
    }
  }

  async read(path: string): Promise<Uint8Array> {
    return (await this.#get(path, null)).bytes;
  }

  async readRange(path: string, offset: number, length: number): Promise<Uint8Array> {
    const [bytes] = await this.readRanges(path, [{ offset, length }]);
    return bytes!;
  }

  /** Ranges that lie near each other are fetched together, the others side by side. */
  async readRanges(path: string, ranges: readonly StoreRange[]): Promise<Uint8Array[]> {
    for (const range of ranges) checkRange(path, range);
    const fetches = joinRanges(ranges).map(async (joined) => ({
      joined,
      bytes: (await this.#get(path, joined)).bytes,
    }));
    const fetched = await Promise.all(fetches);
    return ranges.map((range) => {
      if (range.length === 0) return new Uint8Array(0);
      const end = range.offset + range.length;
      const { joined, bytes } = fetched.find(
        (one) => range.offset >= one.joined.offset && end <= one.joined.offset + one.joined.length,
      )!;
      const from = range.offset - joined.offset;
      if (bytes.length < from + range.length) throw endsBefore(path, range);
      return bytes.subarray(from, from + range.length);
    });
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.#service.put(this.#key(path), bytes, "none", unaborted());
  }

  async create(path: string): Promise<ObjectWriter> {
    return new RemoteWriter(this.#service, this.#key(path), this.#options);
  }

  async delete(path: string): Promise<void> {
    await this.#service.delete([this.#key(path)], unaborted());
  }

  async deleteAll(prefix: string): Promise<void> {
    if (prefix === "") throw new StoreError("store: will not delete everything");
    const request = { prefix: `${this.#key(prefix)}/`, grouped: false };
    for await (const { keys } of this.#pages(request)) {
      for (let from = 0; from < keys.length; from += deleteKeysMax) {
        await this.#service.delete(keys.slice(from, from + deleteKeysMax), unaborted());
      }
    }
  }

  /** Objects are written whole or not at all; parts of uploads are left to the rules of the bucket. */
  async removeLeftovers(): Promise<void> {}

  async modified(path: string): Promise<number> {
    return (await this.#head(path)).modifiedMs;
  }

  async size(path: string): Promise<number> {
    return (await this.#head(path)).bytes;
  }

  async readTagged(path: string): Promise<TaggedObject | null> {
    try {
      return await this.#get(path, null);
    } catch (error) {
      if (error instanceof StoreNotFound) return null;
      throw error;
    }
  }

  async writeIf(path: string, bytes: Uint8Array, tag: string | null): Promise<string | null> {
    const key = this.#key(path);
    this.#conditions ??= checkConditionalWrites(this.#service, this.#options.prefix, unaborted());
    try {
      await this.#conditions;
    } catch (error) {
      this.#conditions = null;
      throw error;
    }
    return this.#service.put(key, bytes, tag === null ? "absent" : { tag }, unaborted());
  }

  #get(path: string, range: StoreRange | null): Promise<FoundObject> {
    return this.#service.get(this.#key(path), range, unaborted());
  }

  #head(path: string) {
    return this.#service.head(this.#key(path), unaborted());
  }

  #key(path: string): string {
    checkPath(path);
    if (path === "") throw new StoreError('store: invalid path ""');
    return this.#options.prefix + path;
  }
}

/** Nobody gives up a call of a store. A signal of its own for each, or what hangs on it would pile up. */
function unaborted(): AbortSignal {
  return new AbortController().signal;
}

/** Two hexadecimal digits that cut the ids of blocks into so many equal ranges. */
function hexCuts(ranges: number): string[] {
  return Array.from({ length: Math.max(0, ranges - 1) }, (_, i) =>
    Math.floor(((i + 1) * 256) / ranges)
      .toString(16)
      .padStart(2, "0"),
  );
}
