// The data plane of one span batch: everything that TypeScript may call.

export {
  addTrace,
  dataBytes,
  ensureSpanAttrs,
  ensureSpans,
  eventCount,
  findTrace,
  linkCount,
  memoryBytes,
  reset as resetBatch,
  resourceCount,
  scopeCount,
  spanAttrCount,
  spanCount,
  traceCount,
} from "./batch";
export { addToBlooms, beginBlooms } from "./bloom";
export * from "./bloom_find";
export { blobs, strings } from "./dictionary";
export { seedHashes } from "./hash";
export { columnAddress, reserveColumn, reserveMemory } from "./memory";
export {
  forgetOrders,
  orderBatch,
  orderedSpans,
  orderedTraces,
  orderForQuery,
  querySpans,
  queryTraces,
  setOrdered,
  timeForQuery,
} from "./order";
export { assembleById, assembleTrace } from "./otlp_assemble";
export { decodeRequest, resetKeyCache, truncatedCount } from "./otlp_decode";
export * from "./parquet_decode";
export * from "./match";
export * from "./merge";
export * from "./parquet_encode";
export * from "./query";
export * from "./series";
export { snappyDecompress, snappyLength } from "./snappy";
export * from "./tags";
export { countIds, forgetIds, idCounts, notedIds, noteIds, wantedIds, wantIds } from "./trace_lookup";
