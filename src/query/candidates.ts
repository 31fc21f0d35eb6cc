// The traces that a search may show. They lie in columns: with the largest limit an object for each would take half of the memory
// budget.
import { traceIdBytes } from "../batch/trace_ids.ts";
import type { BlockMeta } from "../block/meta.ts";
import { QueryTooLarge } from "../search/query_error.ts";
import type { Summary } from "../search/report.ts";
import { hashTraceId, idWords, isSameTraceId } from "./id_set.ts";

/** Traces that one search may keep in mind, some 60 bytes each. */
export const candidatesMax = 1 << 20;
const capacityFirst = 256;

/** A row of a stored block. */
export interface BlockRow {
  meta: BlockMeta;
  group: number;
  row: number;
}

/** Where a part was found that matches by itself; null: in a head. */
export type Source = BlockRow | null;

/** What is known of a candidate. */
const State = {
  Open: 0,
  /** It matches as a whole, and there is a summary of it. */
  Shown: 1,
  Failed: 2,
} as const;

/** In place of a block: no part that matches by itself is known, or more than one row. */
const noBlock = 0;
const severalBlocks = 0xffff_ffff;

export class Candidates {
  #size = 0;
  /** 4 for each id. */
  #words = new Uint32Array(capacityFirst * idWords);
  /** When each began, as far as is known. */
  #starts = new BigUint64Array(capacityFirst);
  #states = new Uint8Array(capacityFirst);
  /** The one row that is known: number of the block + 1, row group and row. */
  #rows = new Uint32Array(capacityFirst * 3);
  /** Numbers of candidates + 1 by hash of the id; 0: free. */
  #slots = new Int32Array(capacityFirst * 2);
  readonly #metas: BlockMeta[] = [];
  readonly #metaNumbers = new Map<BlockMeta, number>();
  readonly #summaries = new Map<number, Summary>();
  #shownBytes = 0;

  get size(): number {
    return this.#size;
  }

  /** Bytes of all summaries. */
  get shownBytes(): number {
    return this.#shownBytes;
  }

  /**
   * Adds a part of a trace.
   *
   * @param words 4 for each of some ids, of which this is the one at `place`
   * @param source undefined: the part does not match by itself
   * @returns whether it is the first part of its trace
   * @throws QueryTooLarge
   */
  add(words: Uint32Array, place: number, start: bigint, source: Source | undefined): boolean {
    const slot = this.#slotOf(words, place * idWords);
    const known = this.#slots[slot]! - 1;
    if (known >= 0) {
      if (this.#states[known] !== State.Open) return false;
      if (start < this.#starts[known]!) this.#starts[known] = start;
      this.#addSource(known, source);
      return false;
    }
    if (this.#size === candidatesMax) {
      throw new QueryTooLarge(
        `more than ${candidatesMax} traces may be among the newest that match: search a shorter time, or ask for fewer traces by limit`,
      );
    }
    const candidate = this.#size++;
    this.#words.set(words.subarray(place * idWords, (place + 1) * idWords), candidate * idWords);
    this.#starts[candidate] = start;
    this.#states[candidate] = State.Open;
    this.#rows[candidate * 3] = noBlock;
    this.#addSource(candidate, source);
    this.#slots[slot] = candidate + 1;
    if (this.#size === this.#starts.length) this.#grow();
    return true;
  }

  /** The newest that are not known to fail, newest first; of two that began at once, first the one with the lower id. */
  newest(count: number): number[] {
    let possible: number[] = [];
    for (let i = 0; i < this.#size; i++) if (this.#states[i] !== State.Failed) possible.push(i);
    if (possible.length > count) {
      const starts = BigUint64Array.from(possible, (i) => this.#starts[i]!).sort();
      const oldest = starts[starts.length - count]!;
      possible = possible.filter((i) => this.#starts[i]! >= oldest);
    }
    const halves = new Uint32Array(this.#starts.buffer);
    const ids = this.#idBytes();
    return possible
      .sort(
        (a, b) =>
          halves[b * 2 + 1]! - halves[a * 2 + 1]! || halves[b * 2]! - halves[a * 2]! || compareIds(ids, a, b),
      )
      .slice(0, count);
  }

  isOpen(candidate: number): boolean {
    return this.#states[candidate] === State.Open;
  }

  /** 16 bytes each. */
  idsOf(candidates: readonly number[]): Uint8Array<ArrayBuffer> {
    const bytes = this.#idBytes();
    const ids = new Uint8Array(candidates.length * traceIdBytes);
    for (const [i, candidate] of candidates.entries()) {
      const at = candidate * traceIdBytes;
      ids.set(bytes.subarray(at, at + traceIdBytes), i * traceIdBytes);
    }
    return ids;
  }

  /** 32 hex digits. */
  hexOf(candidate: number): string {
    return Buffer.from(this.#words.buffer, candidate * traceIdBytes, traceIdBytes).toString("hex");
  }

  /** The one row where it is known to match; undefined if there is none, or another part as well. */
  rowOf(candidate: number): BlockRow | undefined {
    const block = this.#rows[candidate * 3]!;
    if (block === noBlock || block === severalBlocks) return undefined;
    const [group, row] = this.#rows.subarray(candidate * 3 + 1, candidate * 3 + 3) as unknown as [
      number,
      number,
    ];
    return { meta: this.#metas[block - 1]!, group, row };
  }

  /** Puts those that have one row in the order in which blocks are read. */
  sortByRow(candidates: number[]): number[] {
    const rows = this.#rows;
    return candidates.sort(
      (a, b) =>
        rows[a * 3]! - rows[b * 3]! ||
        rows[a * 3 + 1]! - rows[b * 3 + 1]! ||
        rows[a * 3 + 2]! - rows[b * 3 + 2]!,
    );
  }

  /** @param summary what is shown of it; null: it does not match as a whole */
  settle(candidate: number, summary: Summary | null): void {
    if (summary === null) {
      this.#states[candidate] = State.Failed;
      return;
    }
    this.#states[candidate] = State.Shown;
    this.#starts[candidate] = summary.startNanos;
    this.#summaries.set(candidate, summary);
    this.#shownBytes += summary.message.length;
  }

  summaryOf(candidate: number): Summary {
    return this.#summaries.get(candidate)!;
  }

  /** Forgets the summaries of all others, which are open again. */
  keepSummariesOf(candidates: readonly number[]): void {
    const kept = new Set(candidates);
    for (const [candidate, { message }] of this.#summaries) {
      if (kept.has(candidate)) continue;
      this.#summaries.delete(candidate);
      this.#shownBytes -= message.length;
      this.#states[candidate] = State.Open;
    }
  }

  /** Forgets those that began earlier. The others get new numbers. */
  dropOlder(since: bigint): void {
    const summaries = new Map<number, Summary>();
    let kept = 0;
    for (let i = 0; i < this.#size; i++) {
      const summary = this.#summaries.get(i);
      if (this.#starts[i]! < since) {
        this.#shownBytes -= summary?.message.length ?? 0;
        continue;
      }
      this.#words.copyWithin(kept * idWords, i * idWords, (i + 1) * idWords);
      this.#rows.copyWithin(kept * 3, i * 3, (i + 1) * 3);
      this.#starts[kept] = this.#starts[i]!;
      this.#states[kept] = this.#states[i]!;
      if (summary !== undefined) summaries.set(kept, summary);
      kept++;
    }
    this.#size = kept;
    this.#summaries.clear();
    for (const [candidate, summary] of summaries) this.#summaries.set(candidate, summary);
    this.#fillSlots();
  }

  #addSource(candidate: number, source: Source | undefined): void {
    if (source === undefined) return;
    const at = candidate * 3;
    if (source === null || this.#rows[at] === severalBlocks) {
      this.#rows[at] = severalBlocks;
      return;
    }
    const block = this.#numberOf(source.meta) + 1;
    if (this.#rows[at] === noBlock) {
      this.#rows[at] = block;
      this.#rows[at + 1] = source.group;
      this.#rows[at + 2] = source.row;
      return;
    }
    const isSame =
      this.#rows[at] === block && this.#rows[at + 1] === source.group && this.#rows[at + 2] === source.row;
    if (!isSame) this.#rows[at] = severalBlocks;
  }

  #numberOf(meta: BlockMeta): number {
    const known = this.#metaNumbers.get(meta);
    if (known !== undefined) return known;
    this.#metaNumbers.set(meta, this.#metas.length);
    return this.#metas.push(meta) - 1;
  }

  #idBytes(): Uint8Array {
    return new Uint8Array(this.#words.buffer);
  }

  #grow(): void {
    const capacity = this.#starts.length * 2;
    this.#words = grown(this.#words, new Uint32Array(capacity * idWords));
    this.#starts = grown(this.#starts, new BigUint64Array(capacity));
    this.#states = grown(this.#states, new Uint8Array(capacity));
    this.#rows = grown(this.#rows, new Uint32Array(capacity * 3));
    this.#slots = new Int32Array(capacity * 2);
    this.#fillSlots();
  }

  #fillSlots(): void {
    this.#slots.fill(0);
    for (let i = 0; i < this.#size; i++) this.#slots[this.#slotOf(this.#words, i * idWords)] = i + 1;
  }

  /** The slot that has an id, or the free one where it would be. */
  #slotOf(words: Uint32Array, at: number): number {
    const mask = this.#slots.length - 1;
    let slot = hashTraceId(words, at) & mask;
    for (;;) {
      const candidate = this.#slots[slot]! - 1;
      if (candidate < 0 || isSameTraceId(this.#words, candidate * idWords, words, at)) return slot;
      slot = (slot + 1) & mask;
    }
  }
}

function grown<Column extends { set(from: Column): void }>(column: Column, into: Column): Column {
  into.set(column);
  return into;
}

function compareIds(ids: Uint8Array, a: number, b: number): number {
  for (let i = 0; i < traceIdBytes; i++) {
    const order = ids[a * traceIdBytes + i]! - ids[b * traceIdBytes + i]!;
    if (order !== 0) return order;
  }
  return 0;
}
