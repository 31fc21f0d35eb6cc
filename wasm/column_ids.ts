// The columns of a span batch by number. Shared by the core (which stores them) and by TypeScript (which
// asks for views on them), so this file holds nothing but the list.

/** A growable array in the linear memory of a span batch. The comment gives the element type and what indexes it. */
export enum Column {
  // Dictionary of distinct byte strings: names, keys, string values, trace states. Id 0 is the empty string.
  StringEnd, // u32 by string id: end offset in StringBytes (start = end of id - 1, 0 for id 0)
  StringBytes, // u8
  StringHash, // u32 by string id
  StringSlots, // u32 open-addressing table: string id + 1, 0 = free

  // Dictionary of distinct raw protobuf messages: resources, scopes, and AnyValues that are no scalar. Id 0 is empty.
  BlobEnd, // u32 by blob id
  BlobBytes, // u8
  BlobHash, // u32 by blob id
  BlobSlots, // u32
  BlobResource, // u32 by blob id: resource index + 1 if that blob was decoded as a resource, else 0
  BlobScope, // u32 by blob id: scope index + 1, else 0

  // Traces, in order of arrival.
  TraceId, // 16 bytes by trace index
  TraceSlots, // u32 open-addressing table: trace index + 1, 0 = free

  // Resources. Attributes are a range of the Attr* columns, service.name included at its place.
  ResourceAttrStart, // u32 by resource index
  ResourceAttrCount, // u32
  ResourceService, // u32: string id of the last string attribute `service.name`, 0 if there is none
  ResourceDropped, // u32: dropped_attributes_count

  // Scopes.
  ScopeName, // u32 string id
  ScopeVersion, // u32 string id
  ScopeAttrStart, // u32
  ScopeAttrCount, // u32
  ScopeDropped, // u32

  // Spans, in order of arrival.
  SpanTrace, // u32 trace index
  SpanResource, // u32 resource index
  SpanScope, // u32 scope index
  SpanId, // u64: the 8 bytes as they are on the wire (little-endian load)
  SpanParent, // u64, likewise; 0 = root
  SpanName, // u32 string id
  SpanKind, // i32, as on the wire
  SpanStatus, // i32 status code
  SpanStatusMessage, // u32 string id
  SpanState, // u32 string id: trace state
  SpanStart, // u64 ns
  SpanDuration, // u64 ns: end - start, unsigned wrap
  SpanDroppedAttrs, // u32
  SpanDroppedEvents, // u32
  SpanDroppedLinks, // u32
  SpanAttrStart, // u32, count + 1 entries: range of SpanAttr* of span i is [start[i], start[i + 1])
  SpanEventStart, // u32, count + 1 entries: range of Event*
  SpanLinkStart, // u32, count + 1 entries: range of Link*

  // Attributes of spans.
  SpanAttrKey, // u32 string id
  SpanAttrType, // u8 AttrType
  SpanAttrValue, // u64: string id, bool 0/1, i64, f64 bits, blob id by type

  // Attributes of resources, scopes, events and links.
  AttrKey, // u32 string id
  AttrType, // u8 AttrType
  AttrValue, // u64, as SpanAttrValue

  // Events.
  EventTime, // u64 ns, absolute
  EventName, // u32 string id
  EventAttrStart, // u32
  EventAttrCount, // u32
  EventDropped, // u32

  // Links.
  LinkTraceId, // u32 string id of the raw bytes (any length)
  LinkSpanId, // u32 string id of the raw bytes (any length)
  LinkState, // u32 string id
  LinkAttrStart, // u32
  LinkAttrCount, // u32
  LinkDropped, // u32
  LinkFlags, // u32; only vParquet3 blocks keep them

  // Filled by order(): traces ascending by id, their spans grouped by resource, then by scope; exact repeats left out.
  OrderedTrace, // u32 by rank: trace index
  OrderedSpanStart, // u32, ranks + 1 entries: range of OrderedSpan
  OrderedSpan, // u32: span index
  NestedLeft, // i32 by span index; 0 if the span is not reachable from a root
  NestedRight, // i32
  NestedParent, // i32: parent's left, -1 for roots, 0 if unknown
  TraceStart, // u64 ns by rank
  TraceEnd, // u64 ns by rank
  TraceRootService, // u32 string id by rank
  TraceRootName, // u32 string id by rank
  TraceStatsStart, // u32, ranks + 1 entries: range of Stats*
  StatsService, // u32 string id
  StatsSpans, // u32
  StatsErrors, // u32
  TraceDuration, // u64 ns by rank
  ChildCount, // u32 by span index: direct children; queries have no such column

  // Working memory of the part that runs at the moment; nothing in it outlives one call into the core.
  Scratch0,
  Scratch1,
  Scratch2,
  Scratch3,
  Scratch4,
  Scratch5,
  Scratch6,
  Scratch7,
  // Bytes handed in from, and out to, TypeScript.
  Input,
  Output,

  // Owned by queries: see wasm/query*.ts. First the columns from OrderedTrace on once more, in the same order, for batches that
  // grow or are being written to a block while they are asked.
  QueryTrace,
  QuerySpanStart,
  QuerySpan,
  QueryLeft,
  QueryRight,
  QueryParent,
  QueryStart,
  QueryEnd,
  QueryRootService,
  QueryRootName,
  QueryStatsStart,
  QueryStatsService,
  QueryStatsSpans,
  QueryStatsErrors,
  QueryDuration,
  QueryRegisters, // values and truths of expressions, by span, event or link
  QuerySets, // u32 by position in the ordered spans: number of a span set
  QueryTable, // u8 by string or blob id: what a predicate says of it
  QueryWork0,
  QueryWork1,
  QueryWork2,
  QueryWork3,

  // Owned by the listing of tags: see wasm/tags*.ts.
  Tags0,
  Tags1,
  Tags2,
  Tags3,

  // Owned by metrics: see wasm/series*.ts.
  SeriesSlot, // u32 by span: interval << 6, or none
  SeriesGroup, // u32 by span: node that its group is
  SeriesNodeParent, // u32 by node: the group without the last part of its key
  SeriesNodeType, // u8 by node: QueryType of the last part of its key
  SeriesNodeValue, // u64 by node: its value
  SeriesNodeTable, // u32 open-addressing table: node + 1, 0 = free
  SeriesKeyEnd, // u32 by group: end of its key in the column Output, or as handed in
  SeriesCellKey, // u64 by cell: group << 32 | interval << 6 | bucket
  SeriesCellCount, // f64 by cell
  SeriesCellValue, // f64 by cell: least, greatest, or sum
  SeriesCellRest, // f64 by cell: what the sum lost by rounding
  SeriesCellTable, // u32 open-addressing table: cell + 1, 0 = free
  SeriesIn0, // what is handed in of other cells: u64 keys
  SeriesIn1, // f64 counts
  SeriesIn2, // f64 values
  SeriesIn3, // f64 rests
  SeriesIn4, // u32 by group that is handed in: its own group + 1, 0 = there is no room for it
  SeriesIn5, // u32 by attribute that is compared: groups that it has

  // Owned by string matching: see wasm/match*.ts.
  Match0,
  Match1,
  Match2,
  Match3,

  // Owned by the Parquet encoder: see wasm/parquet_encode*.ts.
  Encode0,
  Encode1,
  Encode2,
  Encode3,
  Encode4,
  Encode5,
  Encode6,
  Encode7,
  Encode8,
  Encode9,
  Encode10, // u32 by span index: string id of the message that holds its links, for vParquet3
  Encode11, // u32 by row of an attribute of an event: string id of the message that holds its value, for vParquet3

  // Owned by the Parquet decoder: see wasm/parquet_decode*.ts.
  Decode0,
  Decode1,
  Decode2,
  Decode3,
  Decode4,
  Decode5,
  Decode6,
  Decode7,
  Decode8,
  Decode9,
  Decode10,
  Decode11,
  Decode12,
  Decode13,
  Decode14,
  Decode15,
  Decode16,
  Decode17,
  Decode18,
  Decode19,
  Decode20,
  Decode21,
  Decode22,
  Decode23,

  // Owned by the copying of rows from block to block: see wasm/merge*.ts.
  Merge0, // u32 pairs by pick: run and whether it is left out, rows
  Merge1, // u8 arena: levels of the leaves that others are held against
  Merge2, // u32: slots and values by pick, of those leaves and of the one at hand
  Merge3, // u8 by slot: repetition levels of the leaf at hand
  Merge4, // u8 by slot: its definition levels
  Merge5, // u8: bytes of its values, where these are slices

  Count,
}

/** Type of an attribute value. */
export enum AttrType {
  None = 0, // AnyValue without a value
  String = 1, // value = string id
  Bool = 2, // value = 0 or 1
  Int = 3, // value = i64
  Double = 4, // value = f64 bits
  Array = 5, // value = blob id of the whole AnyValue message
  KvList = 6, // likewise
  Bytes = 7, // likewise
}
