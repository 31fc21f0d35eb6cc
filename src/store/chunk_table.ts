// What is in each slot of a cache of chunks, in memory: the records as they are on the disk, found by a hash table over them whose
// entries are chained. All of it is in typed arrays, as objects and maps take ten times as much for each slot.
import {
  blockHashBytes,
  type ChunkKey,
  type ChunkRecord,
  keyOf,
  parseRecord,
  recordBytes,
} from "./chunk_files.ts";

enum State {
  Empty,
  Held,
  /** Held, and read since the hand of the clock last came by. */
  Used,
}

const none = -1;

export class ChunkTable {
  readonly #slots: number;
  readonly #records: Buffer;
  readonly #states: Uint8Array;
  /** Of a held slot, the next of its bucket; of a free one, the next that is free. Slots from 1 on, so that 0 is none. */
  readonly #next: Int32Array;
  readonly #buckets: Int32Array;
  #firstFree = 0;
  #taken = 0;
  #held = 0;
  #hand = 0;

  constructor(slots: number) {
    this.#slots = slots;
    this.#records = Buffer.alloc(slots * recordBytes);
    this.#states = new Uint8Array(slots);
    this.#next = new Int32Array(slots);
    this.#buckets = new Int32Array(2 ** Math.ceil(Math.log2(slots)));
  }

  get held(): number {
    return this.#held;
  }

  /** Slots that have ever been taken: the files are as long as these. */
  get taken(): number {
    return this.#taken;
  }

  /** @returns the slot; undefined if there is none */
  find(key: ChunkKey): number | undefined {
    for (let at = this.#buckets[this.#bucketOf(key)]!; at !== 0; at = this.#next[at - 1]!) {
      const start = (at - 1) * recordBytes;
      const { block, object, chunk } = keyOf(this.#records, start);
      if (object === key.object && chunk === key.chunk && block.equals(key.block)) return at - 1;
    }
    return undefined;
  }

  record(slot: number): ChunkRecord {
    return parseRecord(this.#records, slot * recordBytes);
  }

  /** Fills a slot that take() gave. */
  enter(slot: number, record: Uint8Array): void {
    this.#records.set(record, slot * recordBytes);
    const bucket = this.#bucketOf(keyOf(this.#records, slot * recordBytes));
    this.#next[slot] = this.#buckets[bucket]!;
    this.#buckets[bucket] = slot + 1;
    this.#states[slot] = State.Held;
    this.#held++;
  }

  use(slot: number): void {
    this.#states[slot] = State.Used;
  }

  /** Empties a slot. What its record on the disk says is no longer true once it is written again, and harmless until then. */
  drop(slot: number): void {
    this.#remove(slot);
    this.release(slot);
  }

  /** Gives back a slot that was taken and not filled. */
  release(slot: number): void {
    this.#next[slot] = this.#firstFree;
    this.#firstFree = slot + 1;
  }

  /** A slot to fill: one that is free, or else the next that the hand may take. */
  take(): { slot: number; evicted: boolean } {
    if (this.#firstFree !== 0) {
      const slot = this.#firstFree - 1;
      this.#firstFree = this.#next[slot]!;
      return { slot, evicted: false };
    }
    if (this.#taken < this.#slots) return { slot: this.#taken++, evicted: false };
    // Each slot is passed by once at most: its mark is taken as the hand goes by.
    for (;;) {
      const slot = this.#hand;
      this.#hand = (slot + 1) % this.#slots;
      if (this.#states[slot] === State.Held) {
        this.#remove(slot);
        return { slot, evicted: true };
      }
      this.#states[slot] = State.Held;
    }
  }

  /** Empties the slots of the blocks that a test is true for. A walk over all slots: some 80 ms for a million. */
  dropBlocks(isGone: (hash: Buffer) => boolean): void {
    for (let slot = 0; slot < this.#taken; slot++) {
      if (this.#states[slot] === State.Empty) continue;
      const start = slot * recordBytes;
      if (isGone(this.#records.subarray(start, start + blockHashBytes))) this.drop(slot);
    }
  }

  #remove(slot: number): void {
    const bucket = this.#bucketOf(keyOf(this.#records, slot * recordBytes));
    let before = none;
    for (let at = this.#buckets[bucket]! - 1; at !== slot; at = this.#next[at]! - 1) before = at;
    if (before === none) this.#buckets[bucket] = this.#next[slot]!;
    else this.#next[before] = this.#next[slot]!;
    this.#states[slot] = State.Empty;
    this.#held--;
  }

  #bucketOf({ block, object, chunk }: ChunkKey): number {
    const mixed = block.readInt32LE(0) ^ Math.imul(object, 0x9e3779b1) ^ Math.imul(chunk, 0x85ebca6b);
    return (mixed ^ (mixed >>> 15)) & (this.#buckets.length - 1);
  }
}
