// Nested set numbers of one trace: left and right of a depth-first walk from the roots, and the parent's left. With them come the
// counts of direct children, which blocks of vParquet5 hold.

import { Column } from "./column_ids";
import { mix } from "./hash";
import { at, reserve } from "./memory";

const KIND_SERVER: i32 = 2;
const KIND_CLIENT: i32 = 3;
const NONE: u32 = 0xffffffff;
/** Parent number of a root. */
const ROOT_PARENT: i32 = -1;

// Working memory by local number of a span in its trace, u32 each, in Scratch0: the hash table first, then these.
let twins: usize = 0; // the other span with this id, or NONE
let parents: usize = 0;
let firstChildren: usize = 0;
let nextSiblings: usize = 0;

function get(array: usize, i: u32): u32 {
  return load<u32>(array + ((<usize>i) << 2));
}

function set(array: usize, i: u32, value: u32): void {
  store<u32>(array + ((<usize>i) << 2), value);
}

/** Added to the columns of ordered spans: where the ones at hand stand. */
let shift: i32 = 0;

/**
 * Fills the nested set columns of the `count` spans of one trace that stand in OrderedSpan from `first` on, and where there is no shift
 * their counts of children. All of them are 0 before.
 *
 * @param columnShift added to OrderedSpan and to the nested set columns
 */
export function nestTrace(first: u32, count: u32, columnShift: i32): void {
  shift = columnShift;
  const ordered = at(shift + Column.OrderedSpan) + ((<usize>first) << 2);
  const slots: u32 = 1 << (32 - <u32>clz(count << 1));
  reserve(Column.Scratch0, (slots + (count << 2)) << 2);
  const table = at(Column.Scratch0);
  twins = table + ((<usize>slots) << 2);
  parents = twins + ((<usize>count) << 2);
  firstChildren = parents + ((<usize>count) << 2);
  nextSiblings = firstChildren + ((<usize>count) << 2);
  memory.fill(table, 0, slots << 2);

  const ids = at(Column.SpanId);
  const parentIds = at(Column.SpanParent);
  const mask = slots - 1;
  let roots: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const span = get(ordered, i);
    const id = load<u64>(ids + ((<usize>span) << 3));
    let slot = <u32>mix(id) & mask;
    let entry = get(table, slot);
    while (entry && load<u64>(ids + ((<usize>get(ordered, entry - 1)) << 3)) != id) {
      slot = (slot + 1) & mask;
      entry = get(table, slot);
    }
    if (entry) {
      const known = entry - 1;
      if (get(twins, known) != NONE) return; // an id for the third time: the trace stays without numbers
      set(twins, known, i);
      set(twins, i, known);
    } else {
      set(table, slot, i + 1);
      set(twins, i, NONE);
    }
    if (!load<u64>(parentIds + ((<usize>span) << 3))) roots++;
  }
  if (roots) number(ordered, count, table, mask);
}

/** Links children to parents and walks from the roots, in the order of `ordered`. */
function number(ordered: usize, count: u32, table: usize, mask: u32): void {
  const ids = at(Column.SpanId);
  const parentIds = at(Column.SpanParent);
  const childCounts: usize = shift ? 0 : at(Column.ChildCount);
  for (let i: u32 = 0; i < count; i++) set(firstChildren, i, NONE);
  // From last to first, so that each list of children comes out in order.
  for (let i = count; i-- > 0; ) {
    const span = get(ordered, i);
    const parentId = load<u64>(parentIds + ((<usize>span) << 3));
    let parent = NONE;
    if (parentId) {
      let slot = <u32>mix(parentId) & mask;
      let entry = get(table, slot);
      while (entry && load<u64>(ids + ((<usize>get(ordered, entry - 1)) << 3)) != parentId) {
        slot = (slot + 1) & mask;
        entry = get(table, slot);
      }
      if (entry) parent = chooseParent(ordered, entry - 1, span);
    }
    set(parents, i, parent);
    if (parent != NONE) {
      set(nextSiblings, i, get(firstChildren, parent));
      set(firstChildren, parent, i);
      if (childCounts) {
        const counted = get(ordered, parent);
        set(childCounts, counted, get(childCounts, counted) + 1);
      }
    }
  }
  const left = at(shift + Column.NestedLeft);
  const right = at(shift + Column.NestedRight);
  const parentLeft = at(shift + Column.NestedParent);
  let next: i32 = 1;
  for (let root: u32 = 0; root < count; root++) {
    if (load<u64>(parentIds + ((<usize>get(ordered, root)) << 3))) continue;
    let i = root;
    let span = get(ordered, i);
    store<i32>(parentLeft + ((<usize>span) << 2), ROOT_PARENT);
    store<i32>(left + ((<usize>span) << 2), next++);
    while (true) {
      const child = get(firstChildren, i);
      if (child != NONE) {
        // Each child is entered once: the list shortens as it is walked.
        set(firstChildren, i, get(nextSiblings, child));
        const own = load<i32>(left + ((<usize>get(ordered, i)) << 2));
        i = child;
        span = get(ordered, i);
        store<i32>(parentLeft + ((<usize>span) << 2), own);
        store<i32>(left + ((<usize>span) << 2), next++);
        continue;
      }
      store<i32>(right + ((<usize>get(ordered, i)) << 2), next++);
      if (i == root) break;
      i = get(parents, i);
    }
  }
}

/** Of two spans that share the parent's id, a server span is the client span's child, and any other the server span's. */
function chooseParent(ordered: usize, known: u32, child: u32): u32 {
  const twin = get(twins, known);
  if (twin == NONE) return known;
  const kinds = at(Column.SpanKind);
  const wanted = load<i32>(kinds + ((<usize>child) << 2)) == KIND_SERVER ? KIND_CLIENT : KIND_SERVER;
  if (load<i32>(kinds + ((<usize>get(ordered, known)) << 2)) == wanted) return known;
  return load<i32>(kinds + ((<usize>get(ordered, twin)) << 2)) == wanted ? twin : NONE;
}
