// Comparisons of arrays with scalars, which the core leaves out: one row after the other.
import type { ComparisonOp } from "../traceql/index.ts";
import { mirrored } from "./necessary.ts";
import { holds } from "./operators.ts";
import type { Element } from "./values.ts";
import type { VectorReader } from "./vector_reader.ts";

/**
 * Compares the rows of two value vectors of which one is an array.
 *
 * @param at the truth vector that has those of all other rows
 * @param arrays the rows, ascending
 */
export function compareRows(
  reader: VectorReader,
  at: number,
  a: number,
  b: number,
  rows: number,
  op: ComparisonOp,
  arrays: Uint32Array,
): void {
  const truths = reader.types(at, rows);
  for (const row of arrays) {
    const left = reader.plain(a, rows, row);
    const right = reader.plain(b, rows, row);
    if (left !== null && right !== null) truths[row] = comparePlain(left, right, op) ? 1 : 0;
  }
}

/** A value against another, of which one is a list: any element has to fit, or for a negative operator all. */
function comparePlain(left: Element | Element[], right: Element | Element[], op: ComparisonOp): boolean {
  if (Array.isArray(left) && Array.isArray(right)) return false;
  if (Array.isArray(right)) return comparePlain(right, left, mirrored(op));
  if (Array.isArray(left)) {
    const test = (element: Element) => compareElements(element, right as Element, op);
    return op === "!=" ? left.length > 0 && left.every(test) : left.some(test);
  }
  return compareElements(left, right, op);
}

function compareElements(a: Element, b: Element, op: ComparisonOp): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return holds(op, Buffer.compare(a, b), 0);
  if (typeof a === "boolean" && typeof b === "boolean") {
    return (op === "=" || op === "!=") && holds(op, Number(a), Number(b));
  }
  if (!isNumber(a) || !isNumber(b)) return false;
  if (Number.isNaN(a) || Number.isNaN(b)) return op === "!=";
  return holds(op, a < b ? -1 : Number(a > b), 0);
}

function isNumber(value: Element): value is bigint | number {
  return typeof value === "bigint" || typeof value === "number";
}
