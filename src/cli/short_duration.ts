// Durations for people: three digits that count.
import { printDuration } from "../traceql/index.ts";

const minute = 60_000_000_000n;
const second = 1_000_000_000n;

/** `447ms`, `1.24s`, `2m5s`: rounded to three digits, from a minute on to seconds. */
export function shortDuration(nanoseconds: bigint): string {
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  const step = size >= minute ? second : 10n ** BigInt(Math.max(0, String(size).length - 3));
  const rounded = ((size + step / 2n) / step) * step;
  return printDuration(nanoseconds < 0n ? -rounded : rounded);
}
