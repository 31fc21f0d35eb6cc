// A predicate as wasm/match.ts reads it: words of 32 bits, with the offsets of what is longer.
import type { Dfa } from "./match_dfa.ts";
import type { Glob } from "./match_glob.ts";

/** Whether a text is in the set of literals or fits one of the globs, and what that means. */
export interface Program {
  literals: readonly Uint8Array[];
  globs: readonly Glob[];
  /** It fits, or the automaton decides, or the caller is asked. */
  verdict: "fits" | "ask" | Dfa;
}

const fitsKind = 0;
const automatonKind = 1;
const askKind = 2;
const orderKind = 3;
/** Bits: before, at, behind. */
const orders = { "<": 0b001, "<=": 0b011, ">": 0b100, ">=": 0b110 };
export type OrderOp = keyof typeof orders;
const headerBytes = 32;

/** @param negated whether a text that fits gets the verdict 0, and others 1 */
export function encodeProgram({ literals, globs, verdict }: Program, negated: boolean): Uint8Array {
  const writer = new Writer();
  const literalTable = writer.words(literals.flatMap((literal) => [writer.bytes(literal), literal.length]));
  const globTable = writer.words(globs.map((glob) => encodeGlob(writer, glob)));
  const kind = verdict === "fits" ? fitsKind : verdict === "ask" ? askKind : automatonKind;
  const automaton = typeof verdict === "string" ? 0 : encodeAutomaton(writer, verdict);
  return writer.finish([
    kind,
    negated ? 1 : 0,
    0,
    literals.length,
    literalTable,
    globs.length,
    globTable,
    automaton,
  ]);
}

/** A text's place in the order of bytes. */
export function encodeOrder(op: OrderOp, literal: Uint8Array): Uint8Array {
  const writer = new Writer();
  const table = writer.words([writer.bytes(literal), literal.length]);
  return writer.finish([orderKind, 0, orders[op], 1, table, 0, 0, 0]);
}

function encodeGlob(writer: Writer, { literals, gaps }: Glob): number {
  const prefix = literals[0]!;
  const suffix = literals.at(-1)!;
  const middles = literals.slice(1, -1);
  const total = (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0);
  return writer.words([
    writer.bytes(prefix),
    prefix.length,
    writer.bytes(suffix),
    suffix.length,
    gaps.at(-1)!,
    total(gaps) + total(literals.map(({ length }) => length)),
    middles.length,
    ...middles.flatMap((literal, i) => [writer.bytes(literal), literal.length, gaps[i]!]),
  ]);
}

function encodeAutomaton(writer: Writer, { classes, classCount, next, accepts, start }: Dfa): number {
  const rowBytes = (classCount + 1) * 4;
  const rows: number[] = [];
  for (const [state, accept] of accepts.entries()) {
    for (let c = 0; c < classCount; c++) rows.push(next[state * classCount + c]! * rowBytes);
    rows.push(accept ? 1 : 0);
  }
  const at = writer.words([rowBytes, start * rowBytes]);
  writer.bytes(classes);
  writer.words(rows);
  return at;
}

/** Writes what offsets point to, behind the room for the header. */
class Writer {
  #bytes = new Uint8Array(1024);
  #length = headerBytes;

  /** @returns the offset */
  bytes(bytes: Uint8Array): number {
    const at = this.#length;
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
    this.#length += bytes.length;
    return at;
  }

  /** @returns the offset */
  words(words: readonly number[]): number {
    this.#length = (this.#length + 3) & ~3;
    const at = this.#length;
    this.#reserve(words.length * 4);
    new Uint32Array(this.#bytes.buffer, at, words.length).set(words);
    this.#length += words.length * 4;
    return at;
  }

  finish(header: readonly number[]): Uint8Array {
    new Uint32Array(this.#bytes.buffer, 0, header.length).set(header);
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array((this.#length + more) * 2);
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
