// Which spans of a batch are counted, and in which interval: a slot for every span.

import { spans } from "./batch";
import { Column } from "./column_ids";
import { at, reserve } from "./memory";
import { orderShift } from "./query_load";
import { placeCount, setsAddress } from "./query_sets";
import { typesOf } from "./query_vectors";
import { dropRepeats } from "./repeats";
import { bucketBits } from "./series_ids";

/** Slot of a span that is not counted. */
export const NO_SLOT: u32 = 0xffffffff;

export let gridStart: u64 = 0;
/** Slots of the first and the last interval that a span was selected in. */
export let firstSlot: u32 = NO_SLOT;
export let lastSlot: u32 = 0;
let gridLength: u64 = 0;
export let gridStep: u64 = 1;
let perStep: f64 = 0;

/** Sets the intervals: of `step` ns each, from `start` on, open on the left; the last one ends at `start + length`. */
export function setGrid(
  startLow: u32,
  startHigh: u32,
  lengthLow: u32,
  lengthHigh: u32,
  stepLow: u32,
  stepHigh: u32,
): void {
  gridStart = <u64>startLow | ((<u64>startHigh) << 32);
  gridLength = <u64>lengthLow | ((<u64>lengthHigh) << 32);
  gridStep = <u64>stepLow | ((<u64>stepHigh) << 32);
  perStep = 1.0 / <f64>gridStep;
}

// A division takes longer than all the rest; a multiplication is off by one at most.
function slotAt(start: u64): u32 {
  const since = start - gridStart - 1;
  if (start <= gridStart || since >= gridLength) return NO_SLOT;
  // Signed, since that is one instruction: a grid is shorter than 2^63 ns.
  let interval = <u64>(<i64>(<f64>(<i64>since) * perStep));
  const from = interval * gridStep;
  if (from > since) interval--;
  else if (since - from >= gridStep) interval++;
  return (<u32>interval) << bucketBits;
}

function beginSlots(): usize {
  reserve(Column.SeriesSlot, (spans + 1) << 2);
  firstSlot = NO_SLOT;
  lastSlot = 0;
  return at(Column.SeriesSlot);
}

/**
 * Counts the spans whose truth holds.
 *
 * @returns how many fall into the grid
 */
export function selectSpans(truth: u32): u32 {
  const slots = beginSlots();
  const truths = typesOf(truth);
  const starts = at(Column.SpanStart);
  let count: u32 = 0;
  for (let i: usize = 0; i < <usize>spans; i++) {
    const slot = load<u8>(truths + i) ? slotAt(load<u64>(starts + (i << 3))) : NO_SLOT;
    store<u32>(slots + (i << 2), slot);
    if (slot == NO_SLOT) continue;
    count++;
    firstSlot = min(firstSlot, slot);
    lastSlot = max(lastSlot, slot);
  }
  return count;
}

/**
 * Counts the spans that are in a set, and those alone that the order has.
 *
 * @returns how many fall into the grid
 */
export function selectSets(list: u32): u32 {
  const slots = beginSlots();
  memory.fill(slots, 0xff, spans << 2);
  const sets = setsAddress(list);
  const places = placeCount();
  const order = at(orderShift() + Column.OrderedSpan);
  const starts = at(Column.SpanStart);
  let count: u32 = 0;
  for (let p: usize = 0; p < <usize>places; p++) {
    if (!load<u32>(sets + (p << 2))) continue;
    const span = <usize>load<u32>(order + (p << 2));
    const slot = slotAt(load<u64>(starts + (span << 3)));
    if (slot == NO_SLOT) continue;
    store<u32>(slots + (span << 2), slot);
    count++;
    firstSlot = min(firstSlot, slot);
    lastSlot = max(lastSlot, slot);
  }
  return count;
}

/**
 * Takes spans that were sent twice out of what is counted, but for the first: of a batch that is in no order yet.
 *
 * @returns how many are left
 */
export function dropRepeatedSpans(): u32 {
  const slots = at(Column.SeriesSlot);
  reserve(Column.QueryWork0, (spans + 1) << 2);
  const list = at(Column.QueryWork0);
  let count: u32 = 0;
  for (let i: usize = 0; i < <usize>spans; i++) {
    if (load<u32>(slots + (i << 2)) != NO_SLOT) store<u32>(list + (usize(count++) << 2), <u32>i);
  }
  const kept = dropRepeats(list, count);
  if (kept == count) return count;
  let next: u32 = 0;
  for (let i: u32 = 0; i < spans; i++) {
    if (next < kept && load<u32>(list + ((<usize>next) << 2)) == i) next++;
    else store<u32>(slots + ((<usize>i) << 2), NO_SLOT);
  }
  return kept;
}

/** Takes the spans of some traces out of what is counted: by index of the trace a byte that is not 0, at `marks`. */
export function dropTraces(marks: usize): void {
  const slots = at(Column.SeriesSlot);
  const traces = at(Column.SpanTrace);
  for (let i: usize = 0; i < <usize>spans; i++) {
    if (load<u8>(marks + load<u32>(traces + (i << 2)))) store<u32>(slots + (i << 2), NO_SLOT);
  }
}
