// Moments as the clock on the wall shows them.

const nanosPerMs = 1_000_000n;

/** `2026-01-15 10:05:12.034` in the local time zone; a question mark for what no calendar holds. */
export function localTime(unixNanos: bigint): string {
  const date = new Date(Number(unixNanos / nanosPerMs));
  return Number.isNaN(date.getTime()) ? "?" : `${day(date)} ${clock(date)}`;
}

/**
 * The same moments shorter, for a narrow place: without the day, or the year, where that is now's for all of them; without
 * milliseconds where the year has to be told.
 */
export function shortLocalTimes(moments: readonly bigint[], now: Date): string[] {
  const times = moments.map(localTime);
  const said = [`${day(now)} `, `${digits(now.getFullYear(), 4)}-`];
  const common = said.find((prefix) => times.every((time) => time.startsWith(prefix)));
  return times.map((time) => (common === undefined ? time.replace(/\.\d+$/, "") : time.slice(common.length)));
}

/** `2026-01-15` */
export function day(date: Date): string {
  return `${digits(date.getFullYear(), 4)}-${digits(date.getMonth() + 1, 2)}-${digits(date.getDate(), 2)}`;
}

/** `10:05:12.034` */
export function clock(date: Date): string {
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => digits(part, 2))
    .join(":");
  return `${time}.${digits(date.getMilliseconds(), 3)}`;
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, "0");
}
