// For tests only: traces of an answer through protobuf-es, which shares no code with what is tested.
import { fromJson, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { TraceSearchMetadataSchema } from "../gen/tempopb/tempo_pb.ts";
import type { FoundSummary, TagsMetrics } from "./search_types.ts";

/** @param metadata as proto3 JSON; the first of its span sets is its span set as well */
export function summaryOf(traceId: string, metadata: JsonObject): FoundSummary {
  const { spanSets } = metadata;
  const whole = Array.isArray(spanSets) ? { ...metadata, spanSet: spanSets[0]! } : metadata;
  const message = fromJson(TraceSearchMetadataSchema, { traceID: traceId.replace(/^0+/, ""), ...whole });
  return {
    traceId,
    startNanos: message.startTimeUnixNano,
    message: toBinary(TraceSearchMetadataSchema, message),
  };
}

export const noTagsMetrics: TagsMetrics = {
  inspectedBytes: 0,
  totalJobs: 0,
  completedJobs: 0,
  totalBlocks: 0,
  totalBlockBytes: 0,
};
