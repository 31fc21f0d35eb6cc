// The messages of the answers to searches and to listings of tags.
import { field, many, message, one } from "./message_table.ts";
import { keyValue } from "./otlp_messages.ts";
import type { SearchMetrics, TagsMetrics } from "./search_types.ts";
import { varintSize, writeVarint } from "./wire.ts";

const serviceStats = message([field(1, "spanCount", "uint32"), field(2, "errorCount", "uint32")]);
const span = message([
  field(1, "spanID", "string"),
  field(2, "name", "string"),
  field(3, "startTimeUnixNano", "uint64"),
  field(4, "durationNanos", "uint64"),
  many(5, "attributes", keyValue),
]);
const spanSet = message([
  many(1, "spans", span),
  field(2, "matched", "uint32"),
  many(3, "attributes", keyValue),
]);

export const traceSearchMetadata = message([
  field(1, "traceID", "string"),
  field(2, "rootServiceName", "string"),
  field(3, "rootTraceName", "string"),
  field(4, "startTimeUnixNano", "uint64"),
  field(5, "durationMs", "uint32"),
  one(6, "spanSet", spanSet),
  many(7, "spanSets", spanSet),
  field(8, "serviceStats", "message", { message: serviceStats, map: true }),
]);

export const searchMetrics = message([
  field(1, "inspectedTraces", "uint32"),
  field(2, "inspectedBytes", "uint64"),
  field(3, "totalBlocks", "uint32"),
  field(4, "completedJobs", "uint32"),
  field(5, "totalJobs", "uint32"),
  field(6, "totalBlockBytes", "uint64"),
  field(7, "inspectedSpans", "uint64"),
]);

export const metadataMetrics = message([
  field(1, "inspectedBytes", "uint64"),
  field(2, "totalJobs", "uint32"),
  field(3, "completedJobs", "uint32"),
  field(4, "totalBlocks", "uint32"),
  field(5, "totalBlockBytes", "uint64"),
]);

/** tempopb.SearchMetrics */
export function searchMetricsMessage(metrics: SearchMetrics): Uint8Array {
  return numbersMessage([
    metrics.inspectedTraces,
    metrics.inspectedBytes,
    metrics.totalBlocks,
    metrics.completedJobs,
    metrics.totalJobs,
    metrics.totalBlockBytes,
    metrics.inspectedSpans,
  ]);
}

/** tempopb.MetadataMetrics */
export function metadataMetricsMessage(metrics: TagsMetrics): Uint8Array {
  return numbersMessage([
    metrics.inspectedBytes,
    metrics.totalJobs,
    metrics.completedJobs,
    metrics.totalBlocks,
    metrics.totalBlockBytes,
  ]);
}

/** The numbers as fields from 1 on, without those that are 0. */
function numbersMessage(numbers: readonly number[]): Uint8Array {
  const size = numbers.reduce((sum, number) => sum + (number === 0 ? 0 : 1 + varintSize(number)), 0);
  const out = new Uint8Array(size);
  let at = 0;
  for (const [index, number] of numbers.entries()) {
    if (number === 0) continue;
    out[at] = (index + 1) << 3;
    at = writeVarint(out, at + 1, number);
  }
  return out;
}
