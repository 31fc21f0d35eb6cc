// From truths to the traces that are answered: which ranks, and the newest of them.

import { Column } from "./column_ids";
import { at, reserve } from "./memory";
import { orderShift, rankCount } from "./query_load";
import { typesOf } from "./query_vectors";

let sinceStart: u64 = 0;
let windowStart: u64 = 0;
let windowEnd: u64 = 0;

/** Sets which traces chooseRanks() takes: those that overlap the window, ns, and did not begin before `since`. */
export function setWindow(
  startLow: u32,
  startHigh: u32,
  endLow: u32,
  endHigh: u32,
  sinceLow: u32,
  sinceHigh: u32,
): void {
  windowStart = <u64>startLow | ((<u64>startHigh) << 32);
  windowEnd = <u64>endLow | ((<u64>endHigh) << 32);
  sinceStart = <u64>sinceLow | ((<u64>sinceHigh) << 32);
}

/** Truth by rank of the trace: whether it holds for any of its spans. */
export function truthOfTraces(to: u32, truth: u32): void {
  const shift = orderShift();
  const ranks = rankCount();
  const out = typesOf(to);
  const truths = typesOf(truth);
  const starts = at(shift + Column.OrderedSpanStart);
  const order = at(shift + Column.OrderedSpan);
  let p = load<u32>(starts);
  for (let rank: usize = 0; rank < <usize>ranks; rank++) {
    const end = load<u32>(starts + (rank << 2), 4);
    let any: u8 = 0;
    for (; p < end; p++) any |= load<u8>(truths + load<u32>(order + ((<usize>p) << 2)));
    store<u8>(out + rank, any);
  }
}

/**
 * Ranks whose truth holds and that setWindow() lets through, ascending, u32 each in the column Output; their starts stand by place in
 * QueryWork0.
 *
 * @param limit how many of the newest are wanted, with all that began at the same time as the last of these; 0: all
 * @returns how many there are
 */
export function chooseRanks(truth: u32, limit: u32): u32 {
  const shift = orderShift();
  const ranks = rankCount();
  reserve(Column.Output, (ranks + 1) << 2);
  reserve(Column.QueryWork0, (ranks + 1) << 3);
  const out = at(Column.Output);
  const times = at(Column.QueryWork0);
  const truths = typesOf(truth);
  const starts = at(shift + Column.TraceStart);
  const ends = at(shift + Column.TraceEnd);
  let count: u32 = 0;
  for (let rank: usize = 0; rank < <usize>ranks; rank++) {
    if (!load<u8>(truths + rank)) continue;
    const start = load<u64>(starts + (rank << 3));
    if (start > windowEnd || start < sinceStart || load<u64>(ends + (rank << 3)) < windowStart) continue;
    store<u32>(out + ((<usize>count) << 2), <u32>rank);
    store<u64>(times + ((<usize>count) << 3), start);
    count++;
  }
  if (!limit || count <= limit) return count;

  reserve(Column.QueryWork1, count << 3);
  memory.copy(at(Column.QueryWork1), at(Column.QueryWork0), count << 3);
  const oldest = select(at(Column.QueryWork1), count, count - limit);
  let kept: u32 = 0;
  for (let i: usize = 0; i < <usize>count; i++) {
    const start = load<u64>(at(Column.QueryWork0) + (i << 3));
    if (start < oldest) continue;
    store<u32>(at(Column.Output) + ((<usize>kept) << 2), load<u32>(at(Column.Output) + (i << 2)));
    store<u64>(at(Column.QueryWork0) + ((<usize>kept) << 3), start);
    kept++;
  }
  return kept;
}

/** The number that stands at `place` when they are sorted. Rearranges them. */
function select(numbers: usize, count: u32, place: u32): u64 {
  let low: i32 = 0;
  let high: i32 = <i32>count - 1;
  const wanted = <i32>place;
  while (low < high) {
    // The middle of three, so that sorted input is no bad case.
    const middle = (low + high) >>> 1;
    if (numberAt(numbers, middle) < numberAt(numbers, low)) swap(numbers, middle, low);
    if (numberAt(numbers, high) < numberAt(numbers, low)) swap(numbers, high, low);
    if (numberAt(numbers, high) < numberAt(numbers, middle)) swap(numbers, high, middle);
    const pivot = numberAt(numbers, middle);
    let i = low;
    let j = high;
    while (i <= j) {
      while (numberAt(numbers, i) < pivot) i++;
      while (numberAt(numbers, j) > pivot) j--;
      if (i <= j) swap(numbers, i++, j--);
    }
    if (wanted <= j) high = j;
    else if (wanted >= i) low = i;
    else return pivot;
  }
  return numberAt(numbers, low);
}

function numberAt(numbers: usize, i: i32): u64 {
  return load<u64>(numbers + ((<usize>i) << 3));
}

function swap(numbers: usize, i: i32, j: i32): void {
  const a = numberAt(numbers, i);
  store<u64>(numbers + ((<usize>i) << 3), numberAt(numbers, j));
  store<u64>(numbers + ((<usize>j) << 3), a);
}
