// The schema of vParquet5 blocks: bare repeated fields in place of three-level lists, and only those dedicated columns
// that the block's meta lists.
import { type DedicatedColumn, spareColumns } from "./dedicated.ts";
import type { SchemaNode } from "./schema.ts";
import { bool, bytes, f64, group, i32, i64, str, u32, u64 } from "./schema_nodes.ts";

function dedicatedGroup(scope: DedicatedColumn["scope"], columns: DedicatedColumn[]): SchemaNode[] {
  const spare = spareColumns.vParquet5;
  const ofScope = columns.filter((column) => column.scope === scope);
  const strings = ofScope.filter((column) => column.type === "string").slice(0, spare.string);
  const ints = ofScope.filter((column) => column.type === "int").slice(0, spare.int);
  if (strings.length + ints.length === 0) return [];
  const number = (i: number) => String(i + 1).padStart(2, "0");
  return [
    group("DedicatedAttributes", [
      ...strings.map((column, i) =>
        str(`String${number(i)}`, column.options.includes("blob") ? "zstd" : "snappy,dict", "repeated"),
      ),
      ...ints.map((_, i) => i64(`Int${number(i)}`, "snappy", "repeated")),
    ]),
  ];
}

const attributes = () =>
  group(
    "Attrs",
    [
      str("Key", "snappy,dict"),
      bool("IsArray", "snappy"),
      str("Value", "snappy,dict", "repeated"),
      i64("ValueInt", "snappy", "repeated"),
      f64("ValueDouble", "snappy", "repeated"),
      bool("ValueBool", "snappy", "repeated"),
      str("ValueUnsupported", "snappy", "optional"),
    ],
    "repeated",
  );

const droppedAttributes = () => i32("DroppedAttributesCount", "snappy,delta");

const events = (columns: DedicatedColumn[]) =>
  group(
    "Events",
    [
      u64("TimeSinceStartNano", "delta"),
      str("Name", "snappy,dict"),
      attributes(),
      droppedAttributes(),
      ...dedicatedGroup("event", columns),
    ],
    "repeated",
  );

const links = () =>
  group(
    "Links",
    [bytes("TraceID"), bytes("SpanID"), str("TraceState", "snappy"), attributes(), droppedAttributes()],
    "repeated",
  );

const spans = (columns: DedicatedColumn[]) =>
  group(
    "Spans",
    [
      bytes("SpanID"),
      bytes("ParentSpanID"),
      i32("ParentID", "delta"),
      i32("NestedSetLeft", "delta"),
      i32("NestedSetRight", "delta"),
      i32("ChildCount", "delta"),
      str("Name", "snappy,dict"),
      i64("Kind", "delta"),
      str("TraceState", "snappy"),
      u64("StartTimeUnixNano", "delta"),
      u64("DurationNano", "delta"),
      i64("StatusCode", "delta"),
      str("StatusMessage", "snappy"),
      attributes(),
      droppedAttributes(),
      events(columns),
      i32("DroppedEventsCount", "snappy"),
      links(),
      i32("DroppedLinksCount", "snappy"),
      ...dedicatedGroup("span", columns),
      u32("StartTimeRounded15", "delta"),
      u32("StartTimeRounded60", "delta"),
      u32("StartTimeRounded300", "delta"),
      u32("StartTimeRounded3600", "delta"),
    ],
    "repeated",
  );

export function schemaV5(columns: DedicatedColumn[]): SchemaNode {
  return group("Trace", [
    bytes("TraceID"),
    str("TraceIDText", "snappy"),
    u64("StartTimeUnixNano", "delta"),
    u64("EndTimeUnixNano", "delta"),
    u64("DurationNano", "delta"),
    str("RootServiceName", "dict"),
    str("RootSpanName", "dict"),
    group(
      "ServiceStats",
      [str("ServiceName", "snappy,dict"), u32("SpanCount", "delta"), u32("ErrorCount", "delta")],
      "repeated",
    ),
    group(
      "rs",
      [
        group("Resource", [
          str("ServiceName", "snappy,dict"),
          attributes(),
          droppedAttributes(),
          ...dedicatedGroup("resource", columns),
        ]),
        group(
          "ss",
          [
            group("Scope", [
              str("Name", "snappy,dict"),
              str("Version", "snappy,dict"),
              attributes(),
              droppedAttributes(),
            ]),
            spans(columns),
            i32("SpanCount", "delta"),
          ],
          "repeated",
        ),
      ],
      "repeated",
    ),
  ]);
}
