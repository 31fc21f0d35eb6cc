// Sets of characters as ranges of code points.

/** Pairs of first and last code point, ascending, apart from each other. */
export type Ranges = readonly number[];

const pointMax = 0x10ffff;
export const anyCharacter: Ranges = [0, pointMax];

/** RE2's own have ASCII only. */
const digit = [0x30, 0x39];
const word = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
export const perlClasses: Record<string, Ranges> = {
  d: digit,
  s: [0x09, 0x0a, 0x0c, 0x0d, 0x20, 0x20],
  w: word,
};
export const posixClasses: Record<string, Ranges> = {
  alnum: [0x30, 0x39, 0x41, 0x5a, 0x61, 0x7a],
  alpha: [0x41, 0x5a, 0x61, 0x7a],
  ascii: [0x00, 0x7f],
  blank: [0x09, 0x09, 0x20, 0x20],
  cntrl: [0x00, 0x1f, 0x7f, 0x7f],
  digit,
  graph: [0x21, 0x7e],
  lower: [0x61, 0x7a],
  print: [0x20, 0x7e],
  punct: [0x21, 0x2f, 0x3a, 0x40, 0x5b, 0x60, 0x7b, 0x7e],
  space: [0x09, 0x0d, 0x20, 0x20],
  upper: [0x41, 0x5a],
  word,
  xdigit: [0x30, 0x39, 0x41, 0x46, 0x61, 0x66],
};

/** The set of all these pairs, in any order. */
export function union(pairs: Ranges): Ranges {
  const sorted: [number, number][] = [];
  for (let i = 0; i < pairs.length; i += 2) sorted.push([pairs[i]!, pairs[i + 1]!]);
  sorted.sort((a, b) => a[0] - b[0]);
  const ranges: number[] = [];
  for (const [low, high] of sorted) {
    const end = ranges.length - 1;
    if (end > 0 && low <= ranges[end]! + 1) ranges[end] = Math.max(ranges[end]!, high);
    else ranges.push(low, high);
  }
  return ranges;
}

export function complement(ranges: Ranges): Ranges {
  const others: number[] = [];
  let next = 0;
  for (let i = 0; i < ranges.length; i += 2) {
    if (ranges[i]! > next) others.push(next, ranges[i]! - 1);
    next = ranges[i + 1]! + 1;
  }
  if (next <= pointMax) others.push(next, pointMax);
  return others;
}

/** The two letters of ASCII that others than their own capitals are the same as: the Kelvin sign and the long s. */
const foldedWith: Record<number, number> = { 107: 0x212a, 115: 0x17f };
/** What Go takes for the first and the last character that has another case. */
const firstFolded = 0x41;
const lastFolded = 0x1e943;

/**
 * The set with the other cases of its characters.
 *
 * @returns null if it has characters beyond ASCII whose cases aren't known here
 */
export function foldCase(ranges: Ranges): Ranges | null {
  const pairs = [...ranges];
  for (let i = 0; i < ranges.length; i += 2) {
    const low = ranges[i]!;
    const high = ranges[i + 1]!;
    if ((low <= firstFolded && high >= lastFolded) || low > lastFolded) continue;
    if (high > 0x7f) return null;
    for (let point = low; point <= high; point++) {
      const lower = point | 0x20;
      if (point < firstFolded || lower < 0x61 || lower > 0x7a) continue;
      pairs.push(lower, lower, lower - 0x20, lower - 0x20);
      const other = foldedWith[lower];
      if (other !== undefined) pairs.push(other, other);
    }
  }
  return union(pairs);
}

/** Whether everything beyond ASCII is in the set. */
export function hasAllBeyondAscii(ranges: Ranges): boolean {
  const end = ranges.length - 1;
  return end > 0 && ranges[end] === pointMax && ranges[end - 1]! <= 0x80;
}
