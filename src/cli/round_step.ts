// Steps that read well on an axis.

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

const timesMs: readonly number[] = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * secondMs),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * minuteMs),
  ...[1, 2, 3, 6, 12].map((hours) => hours * hourMs),
  ...[1, 2, 7, 14, 28, 91, 364].map((days) => days * dayMs),
];

/** Where arithmetic has made a little more of a round number. */
const tolerance = 1e-9;
/** Below this the decimals of a double end. */
const leastNumber = 1e-300;

/** The first of 1, 2, 5, 10, 20, … and their tenths that is not less. */
export function roundNumber(least: number): number {
  const wanted = Math.max(least, leastNumber) * (1 - tolerance);
  const exponent = Math.floor(Math.log10(wanted));
  const digit = [1, 2, 5].find((first) => Number(`${first}e${exponent}`) >= wanted);
  return digit === undefined ? Number(`1e${exponent + 1}`) : Number(`${digit}e${exponent}`);
}

/** Of the steps of a clock and a calendar the first that is not less. */
export function roundTime(leastMs: number): number {
  const longest = timesMs.at(-1)!;
  return timesMs.find((ms) => ms >= leastMs * (1 - tolerance)) ?? Math.ceil(leastMs / longest) * longest;
}
