// The arena that the vectors of a query lie in: which parts of it are taken. Vectors are handed out by size and taken back, so that a
// long query needs no more of them than are alive at once.
import type { CoreExports, SpanBatch } from "../batch/span_batch.ts";
import { QueryTooLarge } from "./query_error.ts";

/** Bytes of all vectors, or of all lists of span sets, that one evaluation may have at a time. */
const arenaBytesMax = 64 << 20;

/** An arena in one column of a batch. */
export class Arena {
  readonly #reserve: (bytes: number) => void;
  readonly #free = new Map<number, number[]>();
  #top = 0;

  constructor(reserve: (bytes: number) => void) {
    this.#reserve = reserve;
  }

  /** @returns the offset of a range whose content is arbitrary */
  take(bytes: number): number {
    const free = this.#free.get(bytes)?.pop();
    if (free !== undefined) return free;
    const offset = this.#top;
    if (offset + bytes > arenaBytesMax) {
      throw new QueryTooLarge(`the query needs more than ${arenaBytesMax >> 20} MiB for what it compares`);
    }
    this.#top = offset + bytes;
    this.#reserve(this.#top);
    return offset;
  }

  give(offset: number, bytes: number): void {
    const free = this.#free.get(bytes);
    if (free) free.push(offset);
    else this.#free.set(bytes, [offset]);
  }
}

/** Bytes of the types of a value vector, and of a truth vector; wasm/query_vectors.ts counts likewise. */
export function typeBytes(rows: number): number {
  return (rows + 31) & ~15;
}

/** A value vector that stays with who loaded it, for the next time that it is asked for. */
export interface KeptVector {
  at: number;
  rows: number;
  /** How many have it, and have not given it back. */
  users: number;
}

/** A value vector, or one of truths alone. Whoever got it gives it back. */
export interface Vector {
  kind: "value" | "truth";
  at: number;
  /** Not to be written over. */
  kept?: KeptVector;
}

/** Value vectors and truth vectors of a batch. */
export class Vectors {
  readonly #core: CoreExports;
  readonly #arena: Arena;

  constructor({ core }: SpanBatch) {
    this.#core = core;
    this.#arena = new Arena((bytes) => core.reserveVectors!(bytes));
  }

  truth(rows: number): number {
    return this.#arena.take(typeBytes(rows));
  }

  giveTruth(offset: number, rows: number): void {
    this.#arena.give(offset, typeBytes(rows));
  }

  value(rows: number): number {
    return this.#arena.take(valueBytes(rows));
  }

  giveValue(offset: number, rows: number): void {
    this.#arena.give(offset, valueBytes(rows));
  }

  /** Gives back the values of a vector. */
  giveVector({ kind, at, kept }: Vector, rows: number): void {
    if (kept) kept.users--;
    else if (kind === "value") this.giveValue(at, rows);
  }

  /** Truth of both, in the place of `all`; null: so far there is none. `at` is used up. */
  and(all: number | null, at: number, rows: number): number {
    if (all === null) return at;
    this.#core.andTruth!(all, at, rows);
    this.giveTruth(at, rows);
    return all;
  }

  /** Truth of one of them, likewise. */
  or(any: number | null, at: number, rows: number): number {
    if (any === null) return at;
    this.#core.orTruth!(any, at, rows);
    this.giveTruth(at, rows);
    return any;
  }
}

/** Bytes of a value vector. One row more, as the values of span sets have: they are numbered from 1. */
export function valueBytes(rows: number): number {
  return typeBytes(rows) + (rows + 2) * 8;
}
