// Points in time as clients write them.
import { quoted } from "./go_numbers.ts";

/** What longer digits are: nanoseconds. */
const secondsCharactersMax = 10;
const nanosPerMs = 1_000_000n;

const digits = /^[+-]?\d+$/;
const seconds = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const rfc3339 = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)$/;

/**
 * Unix nanoseconds of any form of a timestamp that Tempo takes: seconds, seconds with a fraction (to the millisecond),
 * nanoseconds, RFC 3339. Undefined if it is none.
 */
export function parseTimestamp(text: string): bigint | undefined {
  if (!digits.test(text) || text.length <= secondsCharactersMax) return parsePrometheusTime(text);
  return BigInt(text.replace("+", ""));
}

/** The same of the forms that Prometheus takes, to which any number is seconds. */
export function parsePrometheusTime(text: string): bigint | undefined {
  return parseSeconds(text) ?? parseRfc3339(text);
}

function parseSeconds(text: string): bigint | undefined {
  const ms = seconds.test(text) ? Math.round(Number(text) * 1000) : Number.NaN;
  return Number.isSafeInteger(ms) ? BigInt(ms) * nanosPerMs : undefined;
}

function parseRfc3339(text: string): bigint | undefined {
  const parts = rfc3339.exec(text);
  if (parts === null) return undefined;
  const [, date, time, fraction = "", zone] = parts;
  const ms = Date.parse(`${date}T${time}${zone!.toUpperCase()}`);
  if (Number.isNaN(ms)) return undefined;
  return BigInt(ms) * nanosPerMs + BigInt(fraction.slice(0, 9).padEnd(9, "0"));
}

/** What is said of a parameter that is no timestamp. */
export function notATimestamp(name: string, text: string): string {
  return `could not parse '${name}' parameter: cannot parse ${quoted(text)} to a valid timestamp`;
}
