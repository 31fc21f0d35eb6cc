// The strings of a listing that come first by their bytes, as many as an answer has room for: a heap of the best so far, from
// which the greatest goes when there are too many. Whatever order the strings are found in, the same remain.

import { Column } from "./column_ids";
import { entryLength, entryStart, STRINGS } from "./dictionary";
import { at } from "./memory";
import { setTagStrings, tagStrings } from "./tags_distinct";

const NONE: u32 = 0xffffffff;

let heap: usize = 0;

function idAt(index: u32): u32 {
  return load<u32>(heap + ((<usize>index) << 2));
}

function setId(index: u32, id: u32): void {
  store<u32>(heap + ((<usize>index) << 2), id);
}

/** True if the bytes of string a come before those of string b. */
function before(a: u32, b: u32): bool {
  const aLength = entryLength(STRINGS, a);
  const bLength = entryLength(STRINGS, b);
  const aStart = entryStart(STRINGS, a);
  const bStart = entryStart(STRINGS, b);
  const length = min(aLength, bLength);
  let i: u32 = 0;
  // Most of what is compared begins alike: URLs, statements.
  for (; i + 8 <= length; i += 8) {
    const x = load<u64>(aStart + i);
    const y = load<u64>(bStart + i);
    if (x != y) return bswap<u64>(x) < bswap<u64>(y);
  }
  for (; i < length; i++) {
    const x = load<u8>(aStart + i);
    const y = load<u8>(bStart + i);
    if (x != y) return x < y;
  }
  return aLength < bLength;
}

/**
 * Sorts the strings found by their bytes and keeps the first: at most `count`, of at most `bytes` together, and behind them
 * the first that is too many, so that whoever joins several listings knows where this one ends.
 *
 * @returns how many are left in Tags1
 */
export function keepLeastTags(count: u32, bytes: u32): u32 {
  const found = tagStrings();
  heap = at(Column.Tags1);
  let size: u32 = 0;
  let held: u64 = 0;
  let excluded: u32 = NONE;
  for (let i: u32 = 0; i < found; i++) {
    const id = idAt(i);
    if (excluded != NONE && !before(id, excluded)) continue;
    held += entryLength(STRINGS, id);
    setId(size, id);
    rise(size++);
    while (size > count || held > bytes) {
      excluded = idAt(0);
      held -= entryLength(STRINGS, excluded);
      setId(0, idAt(--size));
      sink(0, size);
    }
  }
  for (let end = size; end > 1; ) {
    const greatest = idAt(0);
    setId(0, idAt(--end));
    setId(end, greatest);
    sink(0, end);
  }
  if (excluded != NONE) setId(size++, excluded);
  setTagStrings(size);
  return size;
}

function rise(from: u32): void {
  const id = idAt(from);
  let index = from;
  while (index) {
    const parent = (index - 1) >> 1;
    if (!before(idAt(parent), id)) break;
    setId(index, idAt(parent));
    index = parent;
  }
  setId(index, id);
}

function sink(from: u32, size: u32): void {
  if (from >= size) return;
  const id = idAt(from);
  let index = from;
  while (true) {
    let child = (index << 1) + 1;
    if (child >= size) break;
    if (child + 1 < size && before(idAt(child), idAt(child + 1))) child++;
    if (!before(id, idAt(child))) break;
    setId(index, idAt(child));
    index = child;
  }
  setId(index, id);
}
