// Predicates over strings: a comparison with a literal, compiled once, held against the strings of batches and of dictionary pages.
import type { SpanBatch } from "../batch/span_batch.ts";
import type { ComparisonOp } from "../traceql/index.ts";
import type { Engine } from "./match_engine.ts";
import {
  type CompiledPattern,
  compileGlobs,
  compilePatterns,
  type PatternStrategy,
} from "./match_pattern.ts";
import { encodeOrder, encodeProgram, type OrderOp } from "./match_program.ts";
import { loadProgram, withScratch } from "./match_scratch.ts";

export { MatchTooComplex } from "./match_error.ts";

/** Operators that take a list: true if one of its texts fits; negated, if none does. */
export type ListOp = "=" | "!=" | "=~" | "!~";

/** Verdict of the data plane on what only a whole regular expression engine can tell. */
const asked = 2;
/** Bytes of a page that are looked at in one go. */
const pieceBytes = 64 << 10;

export class StringMatch {
  /** What a string must equal, if that is all. */
  readonly equals: Uint8Array | null;
  readonly strategy: PatternStrategy | "order";
  readonly #program: Uint8Array;
  readonly #negated: boolean;
  readonly #engine: Engine | null;

  private constructor(
    strategy: StringMatch["strategy"],
    program: Uint8Array,
    { equals = null, negated = false, engine = null }: Partial<Parts>,
  ) {
    this.strategy = strategy;
    this.#program = program;
    this.equals = equals;
    this.#negated = negated;
    this.#engine = engine;
  }

  static order(op: OrderOp, literal: Uint8Array): StringMatch {
    return new StringMatch("order", encodeOrder(op, literal), {});
  }

  static pattern({ strategy, program, engine }: CompiledPattern, negated: boolean): StringMatch {
    const { literals } = program;
    const equals = strategy === "literals" && literals.length === 1 && !negated ? literals[0]! : null;
    return new StringMatch(strategy, encodeProgram(program, negated), { equals, negated, engine });
  }

  /** @throws MatchTooComplex, as the others do */
  test(text: Uint8Array): boolean {
    this.#engine?.begin();
    return withScratch(this.#program, (batch) => this.#testIn(batch, text));
  }

  /**
   * Writes the verdicts on strings of a batch: 1 or 0.
   *
   * @param ids address of u32 string ids in the batch's memory
   * @param table address of u8 by string id; only those of the ids are written
   */
  testAll(batch: SpanBatch, ids: number, count: number, table: number): void {
    loadProgram(batch, this.#program);
    if (batch.core.matchStrings!(ids, count, table) === 0) return;
    this.#engine?.begin();
    const { buffer } = batch.core.memory;
    const verdicts = new Uint8Array(buffer, table);
    for (const id of new Uint32Array(buffer, ids, count)) {
      if (verdicts[id] === asked) verdicts[id] = this.#ask(batch.stringBytes(id)) ? 1 : 0;
    }
  }

  /**
   * Writes the verdicts on the ids of a value vector, as texts, to a truth vector: 0 where there is none.
   *
   * @param textOf the text of a row's id
   */
  testIds(
    batch: SpanBatch,
    truths: number,
    values: number,
    rows: number,
    textOf: (row: number) => Uint8Array,
  ): void {
    loadProgram(batch, this.#program);
    if (batch.core.matchIds!(truths, values, rows) === 0) return;
    this.#engine?.begin();
    const verdicts = new Uint8Array(batch.core.memory.buffer, batch.core.vectorAddress!(truths) >>> 0, rows);
    for (let row = 0; row < rows; row++) {
      if (verdicts[row] === asked) verdicts[row] = this.#ask(textOf(row)) ? 1 : 0;
    }
  }

  /**
   * Whether one of `count` texts fits, as Parquet's PLAIN has them: each behind its length. Of bytes that are something else they may.
   */
  anyInPlain(bytes: Uint8Array, count: number): boolean {
    this.#engine?.begin();
    return withScratch(this.#program, (batch) => {
      for (let position = 0, left = count; left > 0; ) {
        const piece = bytes.subarray(position, position + pieceBytes);
        const address = batch.give(piece);
        let scanned = 0;
        for (;;) {
          const results = batch.core.scanPlain!(address + scanned, piece.length - scanned, left);
          const [passed, entries, verdict] = new Uint32Array(batch.core.memory.buffer, results, 3);
          scanned += passed!;
          left -= entries!;
          if (verdict === 1) return true;
          if (verdict !== asked) break;
          const text = entryAt(piece, scanned)!;
          if (this.#ask(text)) return true;
          scanned += text.length + 4;
          left--;
        }
        if (left > 0 && scanned === 0) {
          const text = entryAt(bytes, position);
          if (text === null || this.#testIn(batch, text)) return true;
          scanned = text.length + 4;
          left--;
        }
        position += scanned;
      }
      return false;
    });
  }

  #testIn(scratch: SpanBatch, text: Uint8Array): boolean {
    const verdict = scratch.core.matchText!(scratch.give(text), text.length);
    return verdict === asked ? this.#ask(text) : verdict === 1;
  }

  /** The verdict where the program leaves it open. */
  #ask(text: Uint8Array): boolean {
    return this.#engine!.fits(text) !== this.#negated;
  }
}

interface Parts {
  equals: Uint8Array | null;
  negated: boolean;
  engine: Engine | null;
}

/** @returns null if there is none */
function entryAt(bytes: Uint8Array, position: number): Uint8Array | null {
  if (bytes.length - position < 4) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + position);
  const length = view.getUint32(0, true);
  if (length > bytes.length - position - 4) return null;
  return bytes.subarray(position + 4, position + 4 + length);
}

const encoder = new TextEncoder();

/**
 * @param text a literal, or a pattern that regexProblem() finds no fault with
 * @throws MatchTooComplex
 */
export function compileMatch(op: ComparisonOp, text: string): StringMatch {
  if (op === "=" || op === "!=" || op === "=~" || op === "!~") return compileMatchAny(op, [text]);
  return StringMatch.order(op, encoder.encode(text));
}

/**
 * The comparison with any of several.
 *
 * @throws MatchTooComplex
 */
export function compileMatchAny(op: ListOp, texts: readonly string[]): StringMatch {
  const compiled =
    op === "=~" || op === "!~"
      ? compilePatterns(texts)
      : compileGlobs({ literals: texts.map((text) => encoder.encode(text)), globs: [], exact: true });
  return StringMatch.pattern(compiled, op === "!=" || op === "!~");
}
