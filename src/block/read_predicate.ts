// What values of a column could satisfy a comparison, told from bounds that hold for all of them. Never "no" where one might.

import { doubleOf } from "../batch/double_bits.ts";
import type { StringMatch } from "../search/match.ts";
import type { ComparisonOp, Literal } from "../traceql/index.ts";
import type { TextBounds } from "./footer_bounds.ts";

/** Unsigned bounds from here on may be those of negative numbers: times that wrapped around. */
const signBit = 1n << 63n;

/** Numbers as they are stored, int64, or the bits of doubles. */
export interface NumberTest {
  kind: "number";
  mayHold(lowest: bigint, highest: bigint): boolean;
}

export interface TextTest {
  kind: "text";
  match: Pick<StringMatch, "test">;
  op: ComparisonOp;
  literal: Uint8Array;
  /** An empty string stands for a missing one. */
  emptyIsAbsent: boolean;
}

/** Any value will do. */
export interface PresenceTest {
  kind: "presence";
}

export type LeafTest = NumberTest | TextTest | PresenceTest;

export const presence: PresenceTest = { kind: "presence" };

/** How integers are stored and compared. */
export interface IntOrder {
  /** The column's bounds are in the order of unsigned numbers. */
  unsigned: boolean;
  /** Compared as integers. Else, as the language does with durations, as floats, which may make unequal ones equal. */
  exact: boolean;
}

/** Tests integers against a numeric literal. */
export function intTest(
  op: ComparisonOp,
  literal: bigint | number,
  { unsigned, exact }: IntOrder,
): NumberTest {
  return {
    kind: "number",
    mayHold(low, high) {
      const lowest = unsigned ? BigInt.asUintN(64, low) : low;
      const highest = unsigned ? BigInt.asUintN(64, high) : high;
      if (lowest > highest || (unsigned && highest >= signBit)) return true;
      if (exact) return mayCompare(op, lowest, highest, literal);
      return mayCompare(op, Number(lowest), Number(highest), Number(literal));
    },
  };
}

export function floatTest(op: ComparisonOp, literal: number): NumberTest {
  return {
    kind: "number",
    mayHold(low, high) {
      const lowest = doubleOf(low);
      const highest = doubleOf(high);
      // Bounds say nothing of NaN, which differs from everything.
      if (!(lowest <= highest) || op === "!=") return true;
      return mayCompare(op, lowest, highest, literal);
    },
  };
}

function mayCompare(
  op: ComparisonOp,
  lowest: bigint | number,
  highest: bigint | number,
  literal: bigint | number,
): boolean {
  switch (op) {
    case "=":
      return lowest <= literal && literal <= highest;
    case "!=":
      return !(lowest === literal && highest === literal);
    case "<":
      return lowest < literal;
    case "<=":
      return lowest <= literal;
    case ">":
      return highest > literal;
    case ">=":
      return highest >= literal;
    default:
      return true;
  }
}

/** A bound of this length may be cut. */
const textBytesCut = 16;

/** Whether strings within these bounds may satisfy a test. */
export function mayHoldText({ op, match, literal, emptyIsAbsent }: TextTest, bounds: TextBounds): boolean {
  const { lowest, highest } = bounds;
  if (lowest.length < textBytesCut && Buffer.compare(lowest, highest) === 0) {
    return match.test(lowest) && !(emptyIsAbsent && lowest.length === 0);
  }
  // A cut upper bound stands for everything that begins with it.
  const begins = startsWith(literal, highest);
  switch (op) {
    case "=":
      return Buffer.compare(lowest, literal) <= 0 && (begins || Buffer.compare(literal, highest) <= 0);
    case "<":
      return Buffer.compare(lowest, literal) < 0;
    case "<=":
      return Buffer.compare(lowest, literal) <= 0;
    case ">":
    case ">=":
      return begins || Buffer.compare(highest, literal) >= 0;
    default:
      return true;
  }
}

function startsWith(text: Uint8Array, beginning: Uint8Array): boolean {
  return (
    text.length >= beginning.length && Buffer.compare(text.subarray(0, beginning.length), beginning) === 0
  );
}

/** The number that a literal stands for among numbers; null if it is none. */
export function numericValue(literal: Literal): bigint | number | null {
  return literal.type === "int" || literal.type === "float" || literal.type === "duration"
    ? literal.value
    : null;
}
