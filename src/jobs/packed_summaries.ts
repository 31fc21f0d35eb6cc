// What is shown of traces, packed for its way from a worker: a few buffers instead of an object for each trace.
import type { Summary } from "../search/report.ts";

const idDigits = 32;

export interface PackedSummaries {
  /** 32 hex digits each. */
  ids: string;
  /** Start and end of each, ns. */
  times: BigUint64Array<ArrayBuffer>;
  messages: Uint8Array<ArrayBuffer>;
  /** Where each message ends. */
  ends: Uint32Array<ArrayBuffer>;
}

export function packSummaries(summaries: readonly Summary[]): PackedSummaries {
  const ends = new Uint32Array(summaries.length);
  let bytes = 0;
  for (const [i, { message }] of summaries.entries()) {
    bytes += message.length;
    ends[i] = bytes;
  }
  const messages = new Uint8Array(bytes);
  const times = new BigUint64Array(summaries.length * 2);
  for (const [i, { message, startNanos, endNanos }] of summaries.entries()) {
    messages.set(message, ends[i]! - message.length);
    times[i * 2] = startNanos;
    times[i * 2 + 1] = endNanos;
  }
  return { ids: summaries.map(({ traceId }) => traceId).join(""), times, messages, ends };
}

export function unpackSummaries({ ids, times, messages, ends }: PackedSummaries): Summary[] {
  return Array.from(ends, (end, i) => ({
    traceId: ids.slice(i * idDigits, (i + 1) * idDigits),
    startNanos: times[i * 2]!,
    endNanos: times[i * 2 + 1]!,
    message: messages.subarray(i === 0 ? 0 : ends[i - 1]!, end),
  }));
}
