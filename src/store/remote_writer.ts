// An object of the network that is written piece by piece: in parts, a few of which are on their way while the next one fills. What fits
// into one part is written with one request.
import { log } from "../telemetry/log.ts";
import type { ObjectService, Upload, UploadedPart } from "./object_service.ts";
import type { ObjectWriter } from "./store.ts";
import { StoreError } from "./store_error.ts";

export interface WriterLimits {
  /** Size of a part, the last one aside. */
  partBytes: number;
  /** Parts on their way at a time; as many buffers are in memory, and one more. */
  partsMax: number;
}

/** Services take 10,000 parts. After so many they are twice as large, so that an object may have half a terabyte, not 80 GB. */
const partsBeforeLarger = 2000;

export class RemoteWriter implements ObjectWriter {
  readonly #service: ObjectService;
  readonly #key: string;
  readonly #limits: WriterLimits;
  readonly #giveUp = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  readonly #parts: UploadedPart[] = [];
  #upload: Upload | null = null;
  #number = 0;
  #buffer: Uint8Array | null = null;
  #filled = 0;
  /** Of a part that has arrived, for the next one: the collector lets many of them lie around. */
  #spare: Uint8Array | null = null;
  /** What went wrong with a part, for the next call to say. */
  #failed: unknown = null;

  constructor(service: ObjectService, key: string, limits: WriterLimits) {
    this.#service = service;
    this.#key = key;
    this.#limits = limits;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#giveUp.signal.throwIfAborted();
    for (let taken = 0; taken < bytes.length; ) {
      if (this.#buffer && this.#filled === this.#buffer.length) await this.#send();
      // Memory that is not written to takes no room, so that a small object costs no more than it has.
      this.#buffer ??= this.#newBuffer();
      const piece = bytes.subarray(taken, taken + this.#buffer.length - this.#filled);
      this.#buffer.set(piece, this.#filled);
      this.#filled += piece.length;
      taken += piece.length;
    }
  }

  async close(): Promise<void> {
    const rest = this.#buffer?.subarray(0, this.#filled) ?? new Uint8Array(0);
    const { signal } = this.#giveUp;
    signal.throwIfAborted();
    if (this.#upload === null) {
      await this.#service.put(this.#key, rest, "none", signal);
    } else {
      try {
        if (rest.length > 0) await this.#send();
        await Promise.all(this.#underWay);
        this.#throwIfFailed();
        this.#parts.sort((a, b) => a.number - b.number);
        await this.#service.completeUpload(this.#upload, this.#parts, signal);
      } catch (error) {
        await this.abort();
        throw error;
      }
    }
    this.#upload = null;
    this.#buffer = null;
    // Or another close() would put nothing in the place of it.
    this.#giveUp.abort(new StoreError(`store: ${this.#key} is written already`));
  }

  async abort(): Promise<void> {
    this.#giveUp.abort(new StoreError(`store: writing ${this.#key} was given up`));
    await Promise.allSettled(this.#underWay);
    this.#buffer = null;
    const upload = this.#upload;
    this.#upload = null;
    if (!upload) return;
    try {
      await this.#service.abortUpload(upload, new AbortController().signal);
    } catch (error) {
      // Not thrown: who gives up has an error of his own to tell of. What stays is no object, but is paid for.
      log.warn("parts of an object may be left in the store", { key: this.#key, error: error as Error });
    }
  }

  #newBuffer(): Uint8Array {
    const bytes = this.#partBytes();
    const spare = this.#spare;
    this.#spare = null;
    return spare?.length === bytes ? spare : new Uint8Array(bytes);
  }

  #partBytes(): number {
    return this.#limits.partBytes * 2 ** Math.floor(this.#number / partsBeforeLarger);
  }

  /** Sends off the buffer as a part, as soon as less than partsMax are on their way. */
  async #send(): Promise<void> {
    const { signal } = this.#giveUp;
    signal.throwIfAborted();
    this.#upload ??= await this.#service.startUpload(this.#key, signal);
    while (this.#underWay.size >= this.#limits.partsMax) await Promise.race(this.#underWay);
    this.#throwIfFailed();
    const upload = this.#upload;
    const number = ++this.#number;
    const buffer = this.#buffer!;
    const bytes = buffer.subarray(0, this.#filled);
    const sent = this.#service
      .uploadPart(upload, number, bytes, signal)
      .then(
        (tag) => {
          this.#parts.push({ number, tag, bytes: bytes.length });
          this.#spare = buffer;
        },
        (error) => {
          this.#failed ??= error;
        },
      )
      .finally(() => this.#underWay.delete(sent));
    this.#underWay.add(sent);
    this.#buffer = null;
    this.#filled = 0;
  }

  #throwIfFailed(): void {
    if (this.#failed !== null) throw this.#failed;
  }
}
