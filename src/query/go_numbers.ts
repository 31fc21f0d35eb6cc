// Numbers and durations as Go's parsers take them from a URL, and their words for what is none.
import { parseDuration } from "../config/duration.ts";
import { InvalidRequest } from "./query_errors.ts";

const uint32Max = 0xffff_ffff;
/** Nanoseconds of 64 bits, signed. */
const durationMsMax = 2 ** 63 / 1e6;

/** @throws InvalidRequest */
export function parseUint32(name: string, text: string): number {
  if (!/^[0-9]+$/.test(text)) throw notANumber(name, "ParseUint", text, "invalid syntax");
  const value = Number(text);
  if (value > uint32Max) throw notANumber(name, "ParseUint", text, "value out of range");
  return value;
}

/** @throws InvalidRequest */
export function parseInt64(name: string, text: string): bigint {
  if (!/^[+-]?[0-9]+$/.test(text)) throw notANumber(name, "ParseInt", text, "invalid syntax");
  const value = BigInt(text.replace("+", ""));
  if (BigInt.asIntN(64, value) !== value) throw notANumber(name, "ParseInt", text, "value out of range");
  return value;
}

/**
 * @returns milliseconds
 * @throws InvalidRequest
 */
export function parseGoDuration(name: string, text: string): number {
  // Of the units that durations of the configuration have, Go's own go up to hours.
  const ms = /[dwy]/.test(text) ? undefined : parseDuration(text);
  if (ms === undefined || Math.abs(ms) > durationMsMax) {
    throw new InvalidRequest(`invalid ${name}: time: invalid duration ${quoted(text)}`);
  }
  return ms;
}

/** As Go's %q has a text, of plain ones. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

function notANumber(name: string, parser: string, text: string, reason: string): InvalidRequest {
  return new InvalidRequest(`invalid ${name}: strconv.${parser}: parsing ${quoted(text)}: ${reason}`);
}
