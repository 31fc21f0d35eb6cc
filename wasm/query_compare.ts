// Comparisons and arithmetic of value vectors, row by row, on whatever types the rows have.

import { Column } from "./column_ids";
import { entryLength, entryStart, STRINGS } from "./dictionary";
import { at, reserve } from "./memory";
import { compareIds, holds, isId } from "./query_compare_ids";
import { Arithmetic, Compare, QueryType } from "./query_ids";
import { contentsOf, typesOf } from "./query_vectors";

export function isNumber(type: u32): bool {
  return type == QueryType.Int || type == QueryType.Double || type == QueryType.Duration;
}

/** Durations count as nanoseconds. */
export function asDouble(type: u32, value: u64): f64 {
  return type == QueryType.Double ? reinterpret<f64>(value) : <f64>(<i64>value);
}

function compareStrings(op: u32, a: u32, b: u32): bool {
  if (op <= <u32>Compare.NotEqual) return (a == b) == (op == Compare.Equal);
  const aLength = entryLength(STRINGS, a);
  const bLength = entryLength(STRINGS, b);
  let order = memory.compare(entryStart(STRINGS, a), entryStart(STRINGS, b), min(aLength, bLength));
  if (!order) order = <i32>aLength - <i32>bLength;
  return holds<i32>(op, order, 0);
}

/** True if the two values compare like that: never where the types do not fit, nor with nil. Arrays are not compared here. */
function compareValues(op: u32, aType: u32, a: u64, bType: u32, b: u64): bool {
  if (isNumber(aType) && isNumber(bType)) {
    // Whole numbers of nanoseconds stay exact too.
    if (aType != QueryType.Double && bType != QueryType.Double) return holds<i64>(op, <i64>a, <i64>b);
    return holds<f64>(op, asDouble(aType, a), asDouble(bType, b));
  }
  if (isId(aType) || isId(bType)) return compareIds(op, aType, a, bType, b);
  if (aType != bType) return false;
  switch (aType) {
    case QueryType.String:
      return compareStrings(op, <u32>a, <u32>b);
    case QueryType.Bool:
    case QueryType.Status:
    case QueryType.Kind:
      return op <= <u32>Compare.NotEqual && holds<u64>(op, a, b);
    default:
      return false;
  }
}

/**
 * Truth of `a op b` for each row; false where one is an array. The numbers of these rows are in the column Output then, u32 each.
 *
 * @returns how many there are
 */
export function compareVectors(to: u32, a: u32, b: u32, rows: u32, op: u32): u32 {
  const aTypes = typesOf(a);
  const bTypes = typesOf(b);
  const aValues = contentsOf(a, rows);
  const bValues = contentsOf(b, rows);
  let arrays: u32 = 0;
  for (let i: usize = 0; i < <usize>rows; i++) {
    const aType: u32 = load<u8>(aTypes + i);
    const bType: u32 = load<u8>(bTypes + i);
    const truth = compareValues(
      op,
      aType,
      load<u64>(aValues + (i << 3)),
      bType,
      load<u64>(bValues + (i << 3)),
    );
    store<u8>(typesOf(to) + i, <u8>truth);
    if (aType != QueryType.Array && bType != QueryType.Array) continue;
    reserve(Column.Output, (arrays + 1) << 2);
    store<u32>(at(Column.Output) + (usize(arrays++) << 2), <u32>i);
  }
  return arrays;
}

/** Truth of `value op literal` for each row that has a value of exactly this type: how attributes are compared with literals. */
export function compareTyped(to: u32, from: u32, rows: u32, op: u32, type: u32, low: u32, high: u32): void {
  const out = typesOf(to);
  const types = typesOf(from);
  const values = contentsOf(from, rows);
  const literal = <u64>low | ((<u64>high) << 32);
  if (type == QueryType.Double) {
    const b = reinterpret<f64>(literal);
    for (let i: usize = 0; i < <usize>rows; i++) {
      const fits = <u32>load<u8>(types + i) == type;
      store<u8>(out + i, <u8>(fits && holds<f64>(op, load<f64>(values + (i << 3)), b)));
    }
    return;
  }
  const b = <i64>literal;
  for (let i: usize = 0; i < <usize>rows; i++) {
    const fits = <u32>load<u8>(types + i) == type;
    store<u8>(out + i, <u8>(fits && holds<i64>(op, load<i64>(values + (i << 3)), b)));
  }
}

/** Truth of `value op literal` for each row with a number, which are promoted to each other: how intrinsics and results are compared. */
export function compareNumeric(to: u32, from: u32, rows: u32, op: u32, type: u32, low: u32, high: u32): void {
  const out = typesOf(to);
  const types = typesOf(from);
  const values = contentsOf(from, rows);
  const literal = <u64>low | ((<u64>high) << 32);
  for (let i: usize = 0; i < <usize>rows; i++) {
    const truth = compareValues(op, load<u8>(types + i), load<u64>(values + (i << 3)), type, literal);
    store<u8>(out + i, <u8>truth);
  }
}

/** Truth of `number = literal`, or with `negated` of `number != literal`, for each row of a column of u32 or i32. */
export function compareColumn(to: u32, column: i32, rows: u32, negated: u32, literal: u32): void {
  const out = typesOf(to);
  const from = at(column);
  const wanted = i32x4.splat(literal);
  const flip = i8x16.splat(<i8>negated);
  const one = i8x16.splat(1);
  let i: usize = 0;
  // 16 rows a step; what is behind the last row is room that the vector has.
  for (; i + 16 <= <usize>rows; i += 16) {
    const p = from + (i << 2);
    const low = i16x8.narrow_i32x4_s(i32x4.eq(v128.load(p), wanted), i32x4.eq(v128.load(p, 16), wanted));
    const high = i16x8.narrow_i32x4_s(i32x4.eq(v128.load(p, 32), wanted), i32x4.eq(v128.load(p, 48), wanted));
    v128.store(out + i, v128.xor(v128.and(i8x16.narrow_i16x8_s(low, high), one), flip));
  }
  for (; i < <usize>rows; i++) {
    store<u8>(out + i, <u8>((load<u32>(from + (i << 2)) == literal) != (negated != 0)));
  }
}

function power(base: i64, exponent: i64): i64 {
  let result: i64 = 1;
  let factor = base;
  for (let rest = exponent; rest > 0; rest >>= 1) {
    if (rest & 1) result *= factor;
    factor *= factor;
  }
  return result;
}

/** What computeInts() left. */
let wholeResult: i64 = 0;

/** False where the result is no number: a division by zero, a negative power. */
function computeInts(op: u32, a: i64, b: i64): bool {
  switch (op) {
    case Arithmetic.Add:
      wholeResult = a + b;
      return true;
    case Arithmetic.Subtract:
      wholeResult = a - b;
      return true;
    case Arithmetic.Multiply:
      wholeResult = a * b;
      return true;
    case Arithmetic.Divide:
      if (!b) return false;
      // The one quotient that leaves the 64 bits traps otherwise.
      wholeResult = b == -1 ? 0 - a : a / b;
      return true;
    case Arithmetic.Modulo:
      if (!b) return false;
      wholeResult = b == -1 ? 0 : a % b;
      return true;
    default:
      if (b < 0) return false;
      wholeResult = power(a, b);
      return true;
  }
}

function computeDoubles(op: u32, a: f64, b: f64): f64 {
  switch (op) {
    case Arithmetic.Add:
      return a + b;
    case Arithmetic.Subtract:
      return a - b;
    case Arithmetic.Multiply:
      return a * b;
    case Arithmetic.Divide:
      return a / b;
    case Arithmetic.Modulo:
      return a % b;
    default:
      return Math.pow(a, b);
  }
}

/** to = a op b for each row, in place of a: ints of ints, else a double; nil where one is no number. */
export function computeVectors(to: u32, b: u32, rows: u32, op: u32): void {
  const types = typesOf(to);
  const values = contentsOf(to, rows);
  const bTypes = typesOf(b);
  const bValues = contentsOf(b, rows);
  for (let i: usize = 0; i < <usize>rows; i++) {
    const aType: u32 = load<u8>(types + i);
    const bType: u32 = load<u8>(bTypes + i);
    const at8 = values + (i << 3);
    if (!isNumber(aType) || !isNumber(bType)) {
      store<u8>(types + i, QueryType.Nil);
      continue;
    }
    const a = load<u64>(at8);
    const other = load<u64>(bValues + (i << 3));
    if (aType == QueryType.Int && bType == QueryType.Int) {
      if (computeInts(op, <i64>a, <i64>other)) store<i64>(at8, wholeResult);
      else store<u8>(types + i, QueryType.Nil);
      continue;
    }
    store<u8>(types + i, QueryType.Double);
    store<f64>(at8, computeDoubles(op, asDouble(aType, a), asDouble(bType, other)));
  }
}

/** to = -to for each row, which keeps its type; nil where it is no number. */
export function negateVector(to: u32, rows: u32): void {
  const types = typesOf(to);
  const values = contentsOf(to, rows);
  for (let i: usize = 0; i < <usize>rows; i++) {
    const type: u32 = load<u8>(types + i);
    const at8 = values + (i << 3);
    if (type == QueryType.Double) store<f64>(at8, -load<f64>(at8));
    else if (isNumber(type)) store<i64>(at8, 0 - load<i64>(at8));
    else store<u8>(types + i, QueryType.Nil);
  }
}
