// Structural operators: of the spans on the right, those that have a related one on the left, in the same set. All sets of a trace are
// gone through at once, so that a trace with as many sets as spans takes no longer than one with a single set.

import { Column } from "./column_ids";
import { at, reserve } from "./memory";
import { Relation } from "./query_ids";
import { orderShift, rankCount } from "./query_load";
import { firstPlace, placeCount, setsAddress } from "./query_sets";

// The trace at hand: its places are [start, end).
let start: usize = 0;
let end: usize = 0;
/** Nested set numbers are below: they run from 1 to twice the number of spans. */
let numbers: u32 = 0;
/** Its sets are numbered from here on, one after the other, so that there are no more of them than spans. */
let firstSet: u32 = 0;
let setCount: u32 = 0;

// The lists; those of both sides say of a span which set it is in.
let out: usize = 0;
let lefts: usize = 0;
let rights: usize = 0;

/**
 * Related spans: of the places that are in a set on the right, those that have a related one on the left, in the same set.
 *
 * @param relation what the left span is of the right one
 */
export function relateSets(to: u32, left: u32, right: u32, relation: u32): void {
  out = setsAddress(to);
  lefts = setsAddress(left);
  rights = setsAddress(right);
  memory.fill(out, 0, placeCount() << 2);
  const ranks = rankCount();
  for (let rank: u32 = 0; rank < ranks; rank++) {
    if (!begin(firstPlace(rank), firstPlace(rank + 1))) continue;
    switch (relation) {
      case Relation.Parent:
        findParents();
        break;
      case Relation.Ancestor:
        findAncestors();
        break;
      case Relation.Child:
        findChildren();
        break;
      case Relation.Descendant:
        findDescendants();
        break;
      default:
        findSiblings();
    }
  }
}

/** Turns to a trace. False if one of its sides is empty: then nothing is related. */
function begin(first: u32, last: u32): bool {
  start = <usize>first;
  end = <usize>last;
  numbers = (last - first) * 2 + 2;
  let anyLeft: u32 = 0;
  let anyRight: u32 = 0;
  let least: u32 = 0xffffffff;
  let most: u32 = 0;
  for (let p = start; p < end; p++) {
    const left = get(lefts, p);
    const right = get(rights, p);
    anyLeft |= left;
    anyRight |= right;
    const set = left | right;
    if (!set) continue;
    least = min(least, set);
    most = max(most, set);
  }
  firstSet = least;
  setCount = most - least + 1;
  return anyLeft != 0 && anyRight != 0;
}

function get(list: usize, place: usize): u32 {
  return load<u32>(list + (place << 2));
}

function set(list: usize, place: usize, value: u32): void {
  store<u32>(list + (place << 2), value);
}

/** Element of a span's column of nested set numbers. */
function numberAt(column: i32, place: usize): i32 {
  const span = get(at(orderShift() + Column.OrderedSpan), place);
  return load<i32>(at(orderShift() + column) + ((<usize>span) << 2));
}

/** A column, by nested set number or by set, with 0 in it. */
function cleared(column: i32, count: u32): usize {
  reserve(column, count << 2);
  memory.fill(at(column), 0, count << 2);
  return at(column);
}

/** By the number at which a span begins: its place + 1. Spans outside of the tree, or of neither side, have none. */
function placesByNumber(): usize {
  const places = cleared(Column.QueryWork1, numbers);
  for (let p = start; p < end; p++) {
    if (!(get(lefts, p) | get(rights, p))) continue;
    const left = numberAt(Column.NestedLeft, p);
    const right = numberAt(Column.NestedRight, p);
    if (left > 0 && right > left && <u32>right < numbers) set(places, <usize>left, <u32>p + 1);
  }
  return places;
}

function findParents(): void {
  // By number: the set of the left span that begins there.
  const marks = cleared(Column.QueryWork1, numbers);
  for (let p = start; p < end; p++) {
    const own = get(lefts, p);
    const left = own ? numberAt(Column.NestedLeft, p) : 0;
    if (left > 0 && <u32>left < numbers) set(marks, <usize>left, own);
  }
  for (let p = start; p < end; p++) {
    const own = get(rights, p);
    const parent = own ? numberAt(Column.NestedParent, p) : 0;
    if (parent > 0 && <u32>parent < numbers && get(marks, <usize>parent) == own) set(out, p, own);
  }
}

function findChildren(): void {
  const places = placesByNumber();
  for (let p = start; p < end; p++) {
    const own = get(lefts, p);
    const number = own ? numberAt(Column.NestedParent, p) : 0;
    if (number <= 0 || <u32>number >= numbers) continue;
    const parent = get(places, <usize>number);
    if (parent && get(rights, <usize>parent - 1) == own) set(out, <usize>parent - 1, own);
  }
}

/** From the first number on, with the furthest end of the left spans that have begun, by set. */
function findAncestors(): void {
  const places = placesByNumber();
  const ends = cleared(Column.QueryWork0, setCount);
  for (let n: usize = 1; n < <usize>numbers; n++) {
    const entry = <usize>get(places, n);
    if (!entry) continue;
    const p = entry - 1;
    const own = get(lefts, p) | get(rights, p);
    const furthest = get(ends, <usize>(own - firstSet));
    const right = <u32>numberAt(Column.NestedRight, p);
    if (furthest > right && get(rights, p)) set(out, p, own);
    if (furthest < right && get(lefts, p)) set(ends, <usize>(own - firstSet), right);
  }
}

/** From the last number on, with the left span that begins next, by set. */
function findDescendants(): void {
  const places = placesByNumber();
  const begins = cleared(Column.QueryWork0, setCount);
  for (let n: usize = <usize>numbers - 1; n > 0; n--) {
    const entry = <usize>get(places, n);
    if (!entry) continue;
    const p = entry - 1;
    const own = get(lefts, p) | get(rights, p);
    const next = get(begins, <usize>(own - firstSet));
    if (next && next < <u32>numberAt(Column.NestedRight, p) && get(rights, p)) set(out, p, own);
    if (get(lefts, p)) set(begins, <usize>(own - firstSet), <u32>n);
  }
}

/** Counts the left spans by parent, one set after the other: a counter that another set has left begins anew. */
function findSiblings(): void {
  const count = sortBySet();
  const places = at(Column.QueryWork2);
  // By the parent's number, which is 0 for roots: set and count.
  const counters = cleared(Column.QueryWork1, numbers << 1);
  for (let first: usize = 0, next: usize = 0; first < <usize>count; first = next) {
    const own = setAt(get(places, first));
    for (; next < <usize>count && setAt(get(places, next)) == own; next++) {
      const p = <usize>get(places, next);
      const counter = get(lefts, p) ? counterOf(counters, p) : 0;
      if (!counter) continue;
      const before = load<u32>(counter) == own ? load<u32>(counter, 4) : 0;
      store<u32>(counter, own);
      store<u32>(counter, before + 1, 4);
    }
    for (let i = first; i < next; i++) {
      const p = <usize>get(places, i);
      const counter = get(rights, p) ? counterOf(counters, p) : 0;
      if (!counter || load<u32>(counter) != own) continue;
      // A span is no sibling of itself.
      if (load<u32>(counter, 4) > <u32>(get(lefts, p) != 0)) set(out, p, own);
    }
  }
}

function setAt(place: u32): u32 {
  return get(lefts, <usize>place) | get(rights, <usize>place);
}

/** Address of the counter of a span's parent; 0 if the span is outside of the tree. */
function counterOf(counters: usize, place: usize): usize {
  const parent = numberAt(Column.NestedParent, place);
  const slot: u32 = parent < 0 ? 0 : <u32>parent;
  return parent && slot < numbers ? counters + ((<usize>slot) << 3) : 0;
}

/** The places of either side by their sets, in QueryWork2. Returns how many there are. */
function sortBySet(): u32 {
  // By set, one further on: first how many places it has, then where the next one goes.
  const next = cleared(Column.QueryWork0, setCount + 1);
  reserve(Column.QueryWork2, (<u32>(end - start) + 1) << 2);
  const places = at(Column.QueryWork2);
  for (let p = start; p < end; p++) {
    const own = setAt(<u32>p);
    if (own) set(next, <usize>(own - firstSet) + 1, get(next, <usize>(own - firstSet) + 1) + 1);
  }
  for (let i: usize = 1; i <= <usize>setCount; i++) set(next, i, get(next, i) + get(next, i - 1));
  for (let p = start; p < end; p++) {
    const own = setAt(<u32>p);
    if (!own) continue;
    const position = get(next, <usize>(own - firstSet));
    set(next, <usize>(own - firstSet), position + 1);
    set(places, <usize>position, <u32>p);
  }
  return get(next, <usize>setCount);
}
