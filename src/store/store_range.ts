// Ranges of an object: which there can be, and which are worth one request together.
import type { StoreRange } from "./store.ts";
import { StoreError } from "./store_error.ts";

/** Bytes that one read may ask for. */
const readBytesMax = 2 ** 31 - 1;
/** What lies between two ranges is fetched too if it is less: a request takes as long as a megabyte, and costs more. */
const gapBytesMax = 256 << 10;
/** Ranges are not joined beyond this, so that they are fetched side by side. */
const joinedBytesMax = 8 << 20;

/** @throws StoreError if no object has such a range */
export function checkRange(path: string, { offset, length }: StoreRange): void {
  if (
    !Number.isSafeInteger(offset) ||
    offset < 0 ||
    !Number.isSafeInteger(length) ||
    length < 0 ||
    length > readBytesMax
  ) {
    throw new StoreError(`store: ${path} has no range of ${length} bytes at ${offset}`);
  }
}

export function endsBefore(path: string, { offset, length }: StoreRange): StoreError {
  return new StoreError(`store: ${path} ends before ${offset + length}`);
}

/** Ranges to ask for that cover all of these, ascending. Empty ones need no asking. */
export function joinRanges(ranges: readonly StoreRange[]): StoreRange[] {
  const sorted = ranges.filter(({ length }) => length > 0).sort((a, b) => a.offset - b.offset);
  const joined: StoreRange[] = [];
  for (const { offset, length } of sorted) {
    const end = offset + length;
    const last = joined.at(-1);
    const lastEnd = last ? last.offset + last.length : 0;
    const isNear = offset <= lastEnd + gapBytesMax;
    if (last && (end <= lastEnd || (isNear && end - last.offset <= joinedBytesMax))) {
      last.length = Math.max(lastEnd, end) - last.offset;
    } else {
      joined.push({ offset, length });
    }
  }
  return joined;
}
