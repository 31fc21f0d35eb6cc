// From truths to the traces that are answered: which ranks, and the newest of them.

import { Column } from "./column_ids";
import { at, reserve } from "./memory";
import { orderShift, rankCount } from "./query_load";
import { typesOf } from "./query_vectors";

/** u32 by byte. */
const COUNTERS: usize = memory.data(256 * 4, 4);

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

  const oldest = select(times, count, count - limit);
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

/** The number that stands at `place` when they are sorted: byte by byte from the highest on, so that no order of them is a bad case. */
function select(numbers: usize, count: u32, place: u32): u64 {
  let known: u64 = 0;
  let left = place;
  for (let shift: i64 = 56; shift >= 0; shift -= 8) {
    // How many of those that begin with the known bytes go on with each byte.
    memory.fill(COUNTERS, 0, 256 << 2);
    for (let i: usize = 0; i < <usize>count; i++) {
      const number = load<u64>(numbers + (i << 3));
      if (shift < 56 && (number ^ known) >>> (shift + 8)) continue;
      const counter = COUNTERS + ((<usize>(number >>> shift) & 0xff) << 2);
      store<u32>(counter, load<u32>(counter) + 1);
    }
    let byte: usize = 0;
    while (left >= load<u32>(COUNTERS + (byte << 2))) left -= load<u32>(COUNTERS + (byte++ << 2));
    known |= (<u64>byte) << shift;
  }
  return known;
}
