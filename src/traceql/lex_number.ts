// Numbers and durations. Both begin with the same digits; letters directly behind decide.

import { parseDigits, parseDuration } from "./duration.ts";

export type NumberValue =
  | { type: "int" | "duration"; value: bigint; end: number }
  | { type: "float"; value: number; end: number };

const int64Max = 2n ** 63n - 1n;

const otherBase = /0[xXbBoO][0-9a-zA-Z_]*/y;
const number = /(?:(\d[\d_]*)(\.\d*)?|\.\d+)([eE][+-]?\d*)?/y;
const durationRest = /[0-9.nsumhdwyµ]{1,100}/y;
/** Behind its first number; so that a long run of such characters is read once, not once for each number in it. */
const durationRestMax = 100;

/** The number at `from`, where a digit stands, or a dot and a digit. @returns what is wrong with it, if anything is */
export function lexNumber(text: string, from: number): NumberValue | string {
  const foreign = matchAt(otherBase, text, from);
  if (foreign) return `numbers are decimal: ${foreign[0]}`;
  const match = matchAt(number, text, from)!;
  const [digits, whole, fraction, exponent] = match;
  if (digits.includes("_")) return `numbers have no separators: ${digits}`;
  if (exponent !== undefined && !/\d$/.test(exponent)) return `exponent has no digits: ${digits}`;
  const isInt = whole !== undefined && fraction === undefined && exponent === undefined;
  if (isInt && /^0\d*[89]/.test(digits)) return `malformed octal number: ${digits}`;

  const end = from + digits.length;
  const rest = matchAt(durationRest, text, end);
  if (rest?.[0].length === durationRestMax) return `duration is too long: ${digits}${rest[0]}`;
  if (rest) {
    const value = parseDuration(digits + rest[0]);
    if (value !== undefined) return { type: "duration", value, end: end + rest[0].length };
  }
  if (isInt) {
    const value = parseDigits(digits);
    if (value === undefined || value > int64Max) return `integer does not fit into 64 bits: ${digits}`;
    return { type: "int", value, end };
  }
  const value = Number(digits);
  return Number.isFinite(value) ? { type: "float", value, end } : `number is too large: ${digits}`;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
