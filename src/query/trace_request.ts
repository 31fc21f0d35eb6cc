// What a request for a trace may say in its URL, and Tempo's words for what is wrong with it.

import { Buffer } from "node:buffer";
import { traceIdBytes } from "../batch/trace_ids.ts";
import { parseInt64 } from "./go_numbers.ts";
import { InvalidRequest } from "./query_errors.ts";

export type TraceMode = "all" | "ingesters" | "blocks" | "external";

export interface TraceParams {
  /** Where to look: everywhere, live data only, stored blocks only, a store outside (there is none). */
  mode: TraceMode;
  /** Only blocks with an id from here to there. */
  blockStart?: string;
  blockEnd?: string;
  /** Unix seconds that the trace should overlap. */
  start?: number;
  end?: number;
}

const modes: readonly string[] = ["all", "ingesters", "blocks", "external"] satisfies TraceMode[];

/**
 * Reads a trace id as people write it: up to 32 hex digits of either case, leading zeros optional.
 *
 * @throws InvalidRequest
 */
export function parseTraceId(text: string): Uint8Array {
  let position = 1;
  for (const char of text) {
    if (!/^[0-9a-fA-F]$/.test(char))
      throw new InvalidRequest(
        `trace IDs can only contain hex characters: invalid character '${char}' at position ${position}`,
      );
    position++;
  }
  if (text.length > traceIdBytes * 2) throw new InvalidRequest("trace IDs can't be larger than 128 bits");
  const digits = text.padStart(traceIdBytes * 2, "0");
  return Uint8Array.from({ length: traceIdBytes }, (_, i) =>
    Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16),
  );
}

/**
 * Reads the query parameters. An empty one counts as not given, and so does a time of 0.
 *
 * @param query gives the first value of a parameter
 * @throws InvalidRequest
 */
export function parseTraceParams(query: (name: string) => string | undefined): TraceParams {
  const mode = query("mode") || "all";
  if (!modes.includes(mode)) throw new InvalidRequest(`invalid value for mode ${mode}`);
  const params: TraceParams = { mode: mode as TraceMode };
  if (mode === "ingesters") return params;

  const blockStart = query("blockStart");
  if (blockStart) params.blockStart = parseBlockId("blockstart", blockStart);
  const blockEnd = query("blockEnd");
  if (blockEnd) params.blockEnd = parseBlockId("blockEnd", blockEnd);
  params.start = parseSeconds("start", query("start"));
  params.end = parseSeconds("end", query("end"));
  if (params.start !== undefined && params.end !== undefined && params.end <= params.start)
    throw new InvalidRequest(
      `http parameter start must be before end. received start=${params.start} end=${params.end}`,
    );
  return params;
}

/** @returns the id in lower case with dashes; also taken without dashes, in braces, as a URN */
function parseBlockId(name: string, text: string): string {
  const bare = /^(?:urn:uuid:(?=.{36}$)|\{(?=.{37}$))?(.*?)\}?$/is.exec(text)![1]!;
  if (![32, 36].includes(bare.length) || ![32, 36, 38, 45].includes(text.length))
    throw new InvalidRequest(`invalid value for ${name}: invalid UUID length: ${Buffer.byteLength(text)}`);
  const shape = bare.length === 32 ? /^[0-9a-f]{32}$/i : /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
  if (!shape.test(bare)) throw new InvalidRequest(`invalid value for ${name}: invalid UUID format`);
  const digits = bare.replaceAll("-", "").toLowerCase();
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function parseSeconds(name: string, text: string | undefined): number | undefined {
  if (!text) return undefined;
  return Number(parseInt64(name, text)) || undefined;
}
