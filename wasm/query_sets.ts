// Span sets of all traces at once: for every place in the order of spans the number of the set that the span there is in, 0 for none.
// The sets of a trace never share a span, so one such list holds them all. A list is a range of the column QuerySets.

import { Column } from "./column_ids";
import { mix } from "./hash";
import { at, reserve } from "./memory";
import { Aggregate, QueryType, Relation } from "./query_ids";
import { orderShift, rankCount } from "./query_load";
import { contentsOf, typesOf } from "./query_vectors";
import { spans } from "./batch";

function listAt(offset: u32): usize {
  return at(Column.QuerySets) + offset;
}

function spanOf(place: usize): usize {
  return <usize>load<u32>(at(orderShift() + Column.OrderedSpan) + (place << 2));
}

function firstPlace(rank: u32): u32 {
  return load<u32>(at(orderShift() + Column.OrderedSpanStart) + ((<usize>rank) << 2));
}

/** Places: spans of the traces in order. */
export function placeCount(): u32 {
  return firstPlace(rankCount());
}

/** Makes room for lists. What is in them stays. */
export function reserveSets(bytes: u32): void {
  reserve(Column.QuerySets, bytes);
}

/** Address of a list. */
export function setsAddress(offset: u32): usize {
  return listAt(offset);
}

/** One set for each trace, with all of its spans: set n + 1 is that of the trace of rank n. */
export function wholeTraces(to: u32): void {
  const ranks = rankCount();
  const list = listAt(to);
  for (let rank: u32 = 0; rank < ranks; rank++) {
    const end = firstPlace(rank + 1);
    for (let p = firstPlace(rank); p < end; p++) store<u32>(list + ((<usize>p) << 2), rank + 1);
  }
}

/** As wholeTraces(), of the spans whose truth holds. */
export function filterTraces(to: u32, truth: u32): void {
  const ranks = rankCount();
  const list = listAt(to);
  const truths = typesOf(truth);
  const order = at(orderShift() + Column.OrderedSpan);
  let p: usize = 0;
  for (let rank: u32 = 0; rank < ranks; rank++) {
    const end = <usize>firstPlace(rank + 1);
    for (; p < end; p++) {
      // All bits are set where it holds.
      const mask: u32 = 0 - <u32>load<u8>(truths + <usize>load<u32>(order + (p << 2)));
      store<u32>(list + (p << 2), (rank + 1) & mask);
    }
  }
}

/** Leaves the spans in the sets whose truth holds. */
export function filterSets(to: u32, from: u32, truth: u32): void {
  const places = placeCount();
  const out = listAt(to);
  const sets = listAt(from);
  const truths = typesOf(truth);
  const order = at(orderShift() + Column.OrderedSpan);
  for (let p: usize = 0; p < <usize>places; p++) {
    const span = <usize>load<u32>(order + (p << 2));
    store<u32>(out + (p << 2), load<u8>(truths + span) ? load<u32>(sets + (p << 2)) : 0);
  }
}

/** `left && right` and `left || right`: of each set of `from`, the spans that are left in either side. */
export function joinSets(to: u32, from: u32, left: u32, right: u32, setCount: u32, both: u32): void {
  const places = placeCount();
  reserve(Column.QueryWork0, setCount + 1);
  const sides = at(Column.QueryWork0);
  memory.fill(sides, 0, setCount + 1);
  const sets = listAt(from);
  const lefts = listAt(left);
  const rights = listAt(right);
  const out = listAt(to);
  for (let p: usize = 0; p < <usize>places; p++) {
    const set = <usize>load<u32>(sets + (p << 2));
    const side: u8 =
      <u8>(load<u32>(lefts + (p << 2)) != 0) | ((<u8>(load<u32>(rights + (p << 2)) != 0)) << 1);
    store<u8>(sides + set, load<u8>(sides + set) | side);
  }
  for (let p: usize = 0; p < <usize>places; p++) {
    const set = load<u32>(sets + (p << 2));
    const inSide = (load<u32>(lefts + (p << 2)) | load<u32>(rights + (p << 2))) != 0;
    store<u32>(out + (p << 2), inSide && (!both || load<u8>(sides + <usize>set) == 3) ? set : 0);
  }
}

/** Gives every span that is in a set at all the set that it is in in `from`. */
export function intoSets(to: u32, members: u32, from: u32): void {
  const places = placeCount();
  const out = listAt(to);
  const inside = listAt(members);
  const sets = listAt(from);
  for (let p: usize = 0; p < <usize>places; p++) {
    store<u32>(out + (p << 2), load<u32>(inside + (p << 2)) ? load<u32>(sets + (p << 2)) : 0);
  }
}

/** Takes the spans of `other` out of `to`'s, and gives the rest of `from` the set that they are in there. */
export function exceptSets(to: u32, from: u32, other: u32): void {
  const places = placeCount();
  const out = listAt(to);
  const sets = listAt(from);
  const others = listAt(other);
  for (let p: usize = 0; p < <usize>places; p++) {
    store<u32>(out + (p << 2), load<u32>(others + (p << 2)) ? 0 : load<u32>(sets + (p << 2)));
  }
}

/** All sets of a trace become one, numbered as by wholeTraces(). */
export function coalesceSets(to: u32, from: u32): void {
  const ranks = rankCount();
  const out = listAt(to);
  const sets = listAt(from);
  for (let rank: u32 = 0; rank < ranks; rank++) {
    const end = firstPlace(rank + 1);
    for (let p = <usize>firstPlace(rank); p < <usize>end; p++) {
      store<u32>(out + (p << 2), load<u32>(sets + (p << 2)) ? rank + 1 : 0);
    }
  }
}

/**
 * Related spans: of the places that are in a set on the right, those that have a related one on the left, in the same set of `from`.
 *
 * @param relation what the left span is of the right one
 */
export function relateSets(to: u32, from: u32, left: u32, right: u32, relation: u32): void {
  const ranks = rankCount();
  for (let rank: u32 = 0; rank < ranks; rank++) {
    const start = firstPlace(rank);
    const end = firstPlace(rank + 1);
    for (let p = <usize>start; p < <usize>end; p++) store<u32>(listAt(to) + (p << 2), 0);
    // Usually a trace has one set; with several of them each is looked at by itself.
    let done: u32 = 0;
    while (true) {
      let set: u32 = 0;
      for (let p = <usize>start; p < <usize>end; p++) {
        const own = load<u32>(listAt(from) + (p << 2));
        if (own > done && (!set || own < set)) set = own;
      }
      if (!set) break;
      relateTrace(start, end, listAt(to), listAt(from), listAt(left), listAt(right), set, relation);
      done = set;
    }
  }
}

/** Column by nested set number of one trace, and its places by that number. */
function relateTrace(
  start: u32,
  end: u32,
  out: usize,
  sets: usize,
  lefts: usize,
  rights: usize,
  set: u32,
  relation: u32,
): void {
  const shift = orderShift();
  const leftOf = at(shift + Column.NestedLeft);
  const rightOf = at(shift + Column.NestedRight);
  const parentOf = at(shift + Column.NestedParent);
  // Numbers run from 1 to twice the number of spans; slot 0 is for roots, whose parent is -1.
  const numbers = (end - start) * 2 + 2;
  reserve(Column.QueryWork1, numbers << 2);
  const marks = at(Column.QueryWork1);
  memory.fill(marks, 0, numbers << 2);
  let any = false;

  for (let p = <usize>start; p < <usize>end; p++) {
    if (load<u32>(sets + (p << 2)) != set || !load<u32>(lefts + (p << 2))) continue;
    const span = spanOf(p) << 2;
    const left = load<i32>(leftOf + span);
    if (left <= 0 || <u32>left >= numbers) continue;
    any = true;
    let slot: u32 = 0;
    if (relation == Relation.Child || relation == Relation.Sibling) {
      const parent = load<i32>(parentOf + span);
      if (relation == Relation.Child && parent <= 0) continue;
      slot = parent < 0 ? 0 : <u32>parent;
      if (slot >= numbers || parent == 0) continue;
      store<u32>(marks + ((<usize>slot) << 2), load<u32>(marks + ((<usize>slot) << 2)) + 1);
    } else if (relation == Relation.Ancestor) {
      store<u32>(marks + ((<usize>left) << 2), <u32>load<i32>(rightOf + span));
    } else {
      store<u32>(marks + ((<usize>left) << 2), 1);
    }
  }
  if (!any) return;
  if (relation == Relation.Ancestor) {
    // From here on, by number: the furthest right end of the spans that begin before it.
    let furthest: u32 = 0;
    for (let n: usize = 0; n < <usize>numbers; n++) {
      const right = load<u32>(marks + (n << 2));
      store<u32>(marks + (n << 2), furthest);
      furthest = max(furthest, right);
    }
  } else if (relation == Relation.Descendant) {
    // By number: how many begin before it or with it.
    let count: u32 = 0;
    for (let n: usize = 0; n < <usize>numbers; n++) {
      count += load<u32>(marks + (n << 2));
      store<u32>(marks + (n << 2), count);
    }
  }

  for (let p = <usize>start; p < <usize>end; p++) {
    if (load<u32>(sets + (p << 2)) != set || !load<u32>(rights + (p << 2))) continue;
    const span = spanOf(p) << 2;
    const left = load<i32>(leftOf + span);
    const right = load<i32>(rightOf + span);
    const parent = load<i32>(parentOf + span);
    if (left <= 0 || right <= left || <u32>right >= numbers) continue;
    let related = false;
    if (relation == Relation.Parent) {
      related = parent > 0 && <u32>parent < numbers && load<u32>(marks + ((<usize>parent) << 2)) != 0;
    } else if (relation == Relation.Ancestor) {
      related = load<u32>(marks + ((<usize>left) << 2)) > <u32>right;
    } else if (relation == Relation.Child) {
      related = load<u32>(marks + ((<usize>left) << 2)) != 0;
    } else if (relation == Relation.Descendant) {
      related = load<u32>(marks + ((<usize>right) << 2)) > load<u32>(marks + ((<usize>left) << 2));
    } else if (parent != 0) {
      const slot: u32 = parent < 0 ? 0 : <u32>parent;
      const own: u32 = load<u32>(lefts + (p << 2)) ? 1 : 0;
      related = slot < numbers && load<u32>(marks + ((<usize>slot) << 2)) > own;
    }
    if (related) store<u32>(out + (p << 2), set);
  }
}

/**
 * Splits each set by the values of its spans. The new sets are numbered from 1 in order of their first span; Work2 then holds by
 * number the set that it was part of, and the vector `groups` its value.
 *
 * @returns how many there are
 */
export function groupSets(to: u32, from: u32, values: u32): u32 {
  const places = placeCount();
  const out = listAt(to);
  const sets = listAt(from);
  const types = typesOf(values);
  const contents = contentsOf(values, spans);
  const slots: u32 = 1 << (32 - <u32>clz((places << 1) | 255));
  reserve(Column.QueryWork0, slots << 2);
  reserve(Column.QueryWork2, (places + 1) << 2); // by new set: set before
  reserve(Column.QueryWork3, (places + 1) << 2); // by new set: span with its value
  const table = at(Column.QueryWork0);
  memory.fill(table, 0, slots << 2);
  const origins = at(Column.QueryWork2);
  const samples = at(Column.QueryWork3);
  const mask = slots - 1;
  let count: u32 = 0;
  for (let p: usize = 0; p < <usize>places; p++) {
    const set = load<u32>(sets + (p << 2));
    if (!set) {
      store<u32>(out + (p << 2), 0);
      continue;
    }
    const span = spanOf(p);
    const type = load<u8>(types + span);
    const value = type ? load<u64>(contents + (span << 3)) : 0;
    let slot = <u32>mix(value ^ ((<u64>set) << 32) ^ <u64>type) & mask;
    let group = load<u32>(table + ((<usize>slot) << 2));
    while (group) {
      const sample = <usize>load<u32>(samples + ((<usize>group) << 2));
      if (
        load<u32>(origins + ((<usize>group) << 2)) == set &&
        load<u8>(types + sample) == type &&
        (!type || load<u64>(contents + (sample << 3)) == value)
      )
        break;
      slot = (slot + 1) & mask;
      group = load<u32>(table + ((<usize>slot) << 2));
    }
    if (!group) {
      group = ++count;
      store<u32>(table + ((<usize>slot) << 2), group);
      store<u32>(origins + ((<usize>group) << 2), set);
      store<u32>(samples + ((<usize>group) << 2), <u32>span);
    }
    store<u32>(out + (p << 2), group);
  }
  return count;
}

/** Address of the set, u32 by number of the group, that each of the groups of groupSets() was part of; room for one more. */
export function setOrigins(groups: u32): usize {
  reserve(Column.QueryWork2, (groups + 1) << 2);
  return at(Column.QueryWork2);
}

/** Values of the groups that groupSets() made last, by number of the set. */
export function groupValues(to: u32, values: u32, groups: u32): void {
  const types = typesOf(values);
  const contents = contentsOf(values, spans);
  const outTypes = typesOf(to);
  const outContents = contentsOf(to, groups + 1);
  store<u8>(outTypes, 0);
  for (let group: usize = 1; group <= <usize>groups; group++) {
    const sample = <usize>load<u32>(at(Column.QueryWork3) + (group << 2));
    store<u8>(outTypes + group, load<u8>(types + sample));
    store<u64>(outContents + (group << 3), load<u64>(contents + (sample << 3)));
  }
}

/** Number of spans of each set, as a value vector by number of the set. */
export function countSets(to: u32, from: u32, setCount: u32): void {
  const places = placeCount();
  memory.fill(typesOf(to), <u8>QueryType.Int, setCount + 1);
  const counts = contentsOf(to, setCount + 1);
  memory.fill(counts, 0, (setCount + 1) << 3);
  const sets = listAt(from);
  for (let p: usize = 0; p < <usize>places; p++) {
    const count = counts + ((<usize>load<u32>(sets + (p << 2))) << 3);
    store<u64>(count, load<u64>(count) + 1);
  }
}

function asDouble(type: u32, value: u64): f64 {
  return type == QueryType.Double ? reinterpret<f64>(value) : <f64>(<i64>value);
}

/**
 * Smallest, largest, sum or average of the spans' values in each set, as a value vector by number of the set; nil where it has none.
 * Sums and averages go by the type of the first value: those of another are left out.
 */
export function aggregateSets(to: u32, from: u32, values: u32, setCount: u32, aggregate: u32): void {
  const places = placeCount();
  const outTypes = typesOf(to);
  const out = contentsOf(to, setCount + 1);
  memory.fill(outTypes, 0, setCount + 1);
  reserve(Column.QueryWork0, (setCount + 1) << 2);
  const counts = at(Column.QueryWork0);
  memory.fill(counts, 0, (setCount + 1) << 2);
  const sets = listAt(from);
  const types = typesOf(values);
  const contents = contentsOf(values, spans);
  for (let p: usize = 0; p < <usize>places; p++) {
    const set = <usize>load<u32>(sets + (p << 2));
    if (!set) continue;
    const span = spanOf(p);
    const type: u32 = load<u8>(types + span);
    if (type != QueryType.Int && type != QueryType.Double && type != QueryType.Duration) continue;
    const value = load<u64>(contents + (span << 3));
    const known: u32 = load<u8>(outTypes + set);
    const slot = out + (set << 3);
    if (!known) {
      store<u8>(outTypes + set, <u8>type);
      store<u64>(slot, value);
      store<u32>(counts + (set << 2), 1);
      continue;
    }
    if (aggregate == Aggregate.Min || aggregate == Aggregate.Max) {
      const before = load<u64>(slot);
      let less: bool;
      if (type != QueryType.Double && known != QueryType.Double) less = <i64>value < <i64>before;
      else less = asDouble(type, value) < asDouble(known, before);
      let more: bool;
      if (type != QueryType.Double && known != QueryType.Double) more = <i64>value > <i64>before;
      else more = asDouble(type, value) > asDouble(known, before);
      if (aggregate == Aggregate.Min ? less : more) {
        store<u8>(outTypes + set, <u8>type);
        store<u64>(slot, value);
      }
      continue;
    }
    if (type != known) continue;
    store<u32>(counts + (set << 2), load<u32>(counts + (set << 2)) + 1);
    if (type == QueryType.Double) store<f64>(slot, load<f64>(slot) + reinterpret<f64>(value));
    else store<i64>(slot, load<i64>(slot) + <i64>value);
  }
  if (aggregate != Aggregate.Avg) return;
  for (let set: usize = 1; set <= <usize>setCount; set++) {
    const type: u32 = load<u8>(outTypes + set);
    if (!type) continue;
    const count = load<u32>(counts + (set << 2));
    const slot = out + (set << 3);
    if (type == QueryType.Double) store<f64>(slot, load<f64>(slot) / <f64>count);
    else if (type == QueryType.Duration) store<i64>(slot, load<i64>(slot) / <i64>count);
    else {
      store<u8>(outTypes + set, QueryType.Double);
      store<f64>(slot, <f64>load<i64>(slot) / <f64>count);
    }
  }
}

/** Takes the sets out whose truth, by number of the set, does not hold. */
export function keepSets(to: u32, from: u32, truth: u32): void {
  const places = placeCount();
  const out = listAt(to);
  const sets = listAt(from);
  const truths = typesOf(truth);
  for (let p: usize = 0; p < <usize>places; p++) {
    const set = load<u32>(sets + (p << 2));
    store<u32>(out + (p << 2), set && load<u8>(truths + <usize>set) ? set : 0);
  }
}

/** Truth by rank of traces whose sets are numbered as by wholeTraces(), from the truth by number of the set. */
export function truthOfSets(to: u32, truth: u32): void {
  memory.copy(typesOf(to), typesOf(truth) + 1, rankCount());
}

/** Truth by rank of the trace: whether any of its places is in a set. */
export function anyOfTraces(to: u32, from: u32): void {
  const ranks = rankCount();
  const out = typesOf(to);
  const sets = listAt(from);
  for (let rank: u32 = 0; rank < ranks; rank++) {
    const end = firstPlace(rank + 1);
    let any: u32 = 0;
    for (let p = <usize>firstPlace(rank); p < <usize>end; p++) any |= load<u32>(sets + (p << 2));
    store<u8>(out + <usize>rank, <u8>(any != 0));
  }
}

/** Truth by index of the trace: whether it holds for any of its spans, ordered or not. */
export function anyOfSpans(to: u32, truth: u32, traceCount: u32): void {
  const out = typesOf(to);
  memory.fill(out, 0, traceCount);
  const truths = typesOf(truth);
  const ofSpan = at(Column.SpanTrace);
  for (let i: usize = 0; i < <usize>spans; i++) {
    if (load<u8>(truths + i)) store<u8>(out + <usize>load<u32>(ofSpan + (i << 2)), 1);
  }
}
