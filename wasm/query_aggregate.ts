// Aggregates: one value of the spans' values in each set. What comes of it does not depend on the order of the spans, which is not the
// same wherever a trace lies.

import { spans } from "./batch";
import { Column } from "./column_ids";
import { at, reserve } from "./memory";
import { asDouble, isNumber } from "./query_compare";
import { Aggregate, QueryType } from "./query_ids";
import { placeCount, setsAddress, spanOf } from "./query_sets";
import { contentsOf, typesOf } from "./query_vectors";

/** Smallest, largest, sum or average of the spans' values in each set, as a value vector by number of the set; nil where it has none. */
export function aggregateSets(to: u32, from: u32, values: u32, setCount: u32, aggregate: u32): void {
  memory.fill(typesOf(to), 0, setCount + 1);
  if (aggregate == Aggregate.Min || aggregate == Aggregate.Max) {
    findExtremes(to, from, values, setCount, aggregate == Aggregate.Max);
    return;
  }
  chooseTypes(to, from, values, setCount);
  addUp(to, from, values, setCount);
  if (aggregate == Aggregate.Avg) divide(to, setCount);
}

function findExtremes(to: u32, from: u32, values: u32, setCount: u32, largest: bool): void {
  const places = placeCount();
  const sets = setsAddress(from);
  const types = typesOf(values);
  const contents = contentsOf(values, spans);
  const outTypes = typesOf(to);
  const out = contentsOf(to, setCount + 1);
  for (let p: usize = 0; p < <usize>places; p++) {
    const set = <usize>load<u32>(sets + (p << 2));
    if (!set) continue;
    const span = spanOf(p);
    const type: u32 = load<u8>(types + span);
    if (!isNumber(type)) continue;
    const value = load<u64>(contents + (span << 3));
    const known: u32 = load<u8>(outTypes + set);
    if (known && !replaces(type, value, known, load<u64>(out + (set << 3)), largest)) continue;
    store<u8>(outTypes + set, <u8>type);
    store<u64>(out + (set << 3), value);
  }
}

/** Whether a number is taken in place of another: of two equal ones the whole one is, and anything in place of what is no number. */
function replaces(type: u32, value: u64, knownType: u32, known: u64, largest: bool): bool {
  if (type != QueryType.Double && knownType != QueryType.Double) {
    return largest ? <i64>value > <i64>known : <i64>value < <i64>known;
  }
  const a = asDouble(type, value);
  const b = asDouble(knownType, known);
  if (a == b) return type != QueryType.Double && knownType == QueryType.Double;
  if (b != b) return a == a;
  return largest ? a > b : a < b;
}

/** The type that each set is summed in: that of its first value, those of another are left out. */
function chooseTypes(to: u32, from: u32, values: u32, setCount: u32): void {
  const places = placeCount();
  const sets = setsAddress(from);
  const types = typesOf(values);
  const outTypes = typesOf(to);
  let isMixed = false;
  for (let p: usize = 0; p < <usize>places; p++) {
    const set = <usize>load<u32>(sets + (p << 2));
    if (!set) continue;
    const type: u32 = load<u8>(types + spanOf(p));
    if (!isNumber(type)) continue;
    const known: u32 = load<u8>(outTypes + set);
    if (!known) store<u8>(outTypes + set, <u8>type);
    else if (known != type) isMixed = true;
  }
  if (isMixed) chooseByTime(to, from, values, setCount);
}

/** The first value is that of the span that began first. */
function chooseByTime(to: u32, from: u32, values: u32, setCount: u32): void {
  const places = placeCount();
  const sets = setsAddress(from);
  const types = typesOf(values);
  const outTypes = typesOf(to);
  // By set: the span, + 1.
  reserve(Column.QueryWork0, (setCount + 1) << 2);
  const firsts = at(Column.QueryWork0);
  memory.fill(firsts, 0, (setCount + 1) << 2);
  for (let p: usize = 0; p < <usize>places; p++) {
    const set = <usize>load<u32>(sets + (p << 2));
    const span = spanOf(p);
    if (!set || !isNumber(load<u8>(types + span))) continue;
    const known = load<u32>(firsts + (set << 2));
    if (known && !isEarlier(span, <usize>known - 1, types)) continue;
    store<u32>(firsts + (set << 2), <u32>span + 1);
    store<u8>(outTypes + set, load<u8>(types + span));
  }
}

function isEarlier(a: usize, b: usize, types: usize): bool {
  const start = load<u64>(at(Column.SpanStart) + (a << 3));
  const other = load<u64>(at(Column.SpanStart) + (b << 3));
  if (start != other) return start < other;
  const id = bswap<u64>(load<u64>(at(Column.SpanId) + (a << 3)));
  const otherId = bswap<u64>(load<u64>(at(Column.SpanId) + (b << 3)));
  if (id != otherId) return id < otherId;
  return load<u8>(types + a) < load<u8>(types + b);
}

/** Sums, and in QueryWork0 by set how many values went into them. */
function addUp(to: u32, from: u32, values: u32, setCount: u32): void {
  const places = placeCount();
  const sets = setsAddress(from);
  const types = typesOf(values);
  const contents = contentsOf(values, spans);
  const outTypes = typesOf(to);
  const out = contentsOf(to, setCount + 1);
  memory.fill(out, 0, (setCount + 1) << 3);
  reserve(Column.QueryWork0, (setCount + 1) << 2);
  const counts = at(Column.QueryWork0);
  memory.fill(counts, 0, (setCount + 1) << 2);
  for (let p: usize = 0; p < <usize>places; p++) {
    const set = <usize>load<u32>(sets + (p << 2));
    if (!set) continue;
    const span = spanOf(p);
    const type: u32 = load<u8>(types + span);
    if (!isNumber(type) || type != <u32>load<u8>(outTypes + set)) continue;
    const value = contents + (span << 3);
    const sum = out + (set << 3);
    store<u32>(counts + (set << 2), load<u32>(counts + (set << 2)) + 1);
    if (type == QueryType.Double) store<f64>(sum, load<f64>(sum) + load<f64>(value));
    else store<i64>(sum, load<i64>(sum) + load<i64>(value));
  }
}

/** Averages of sums: a duration of durations, else a double. */
function divide(to: u32, setCount: u32): void {
  const types = typesOf(to);
  const sums = contentsOf(to, setCount + 1);
  const counts = at(Column.QueryWork0);
  for (let set: usize = 1; set <= <usize>setCount; set++) {
    const type: u32 = load<u8>(types + set);
    if (!type) continue;
    const count = load<u32>(counts + (set << 2));
    const sum = sums + (set << 3);
    if (type == QueryType.Duration) {
      store<i64>(sum, load<i64>(sum) / <i64>count);
      continue;
    }
    store<u8>(types + set, QueryType.Double);
    store<f64>(sum, asDouble(type, load<u64>(sum)) / <f64>count);
  }
}
