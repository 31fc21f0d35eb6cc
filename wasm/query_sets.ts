// Span sets of all traces at once: for every place in the order of spans the number of the set that the span there is in, 0 for none.
// The sets of a trace never share a span, so one such list holds them all. A list is a range of the column QuerySets.

import { Column } from "./column_ids";
import { mix } from "./hash";
import { at, reserve } from "./memory";
import { QueryType } from "./query_ids";
import { orderShift, rankCount } from "./query_load";
import { contentsOf, typesOf } from "./query_vectors";
import { spans } from "./batch";

function listAt(offset: u32): usize {
  return at(Column.QuerySets) + offset;
}

/** Span at a place. */
export function spanOf(place: usize): usize {
  return <usize>load<u32>(at(orderShift() + Column.OrderedSpan) + (place << 2));
}

/** First place of a trace. */
export function firstPlace(rank: u32): u32 {
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
    // One number inside the other: values come from clients, who could choose them to cancel out the sets.
    let slot = <u32>mix(value ^ mix(((<u64>set) << 8) | <u64>type)) & mask;
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
