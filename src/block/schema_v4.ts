// The schema of vParquet4 blocks, which are what we write by default. It is the same for every block: 103 leaves, unused
// dedicated columns included.
import { spareColumns } from "./dedicated.ts";
import type { SchemaNode } from "./schema.ts";
import { bool, bytes, f64, group, i32, i64, list, numbered, str, u32, u64 } from "./schema_nodes.ts";

const dedicated = () =>
  group(
    "DedicatedAttributes",
    numbered("String", spareColumns.vParquet4.string, (name) => str(name, "snappy,dict", "optional")),
  );

const attributes = () =>
  list("Attrs", [
    str("Key", "snappy,dict"),
    bool("IsArray", "snappy"),
    list("Value", str("element", "snappy,dict")),
    list("ValueInt", i64("element", "snappy")),
    list("ValueDouble", f64("element", "snappy")),
    list("ValueBool", bool("element", "snappy")),
    str("ValueUnsupported", "snappy", "optional"),
  ]);

const droppedAttributes = () => i32("DroppedAttributesCount", "snappy,delta");

const resource = () =>
  group("Resource", [
    attributes(),
    droppedAttributes(),
    str("ServiceName", "snappy,dict"),
    str("Cluster", "snappy,dict", "optional"),
    str("Namespace", "snappy,dict", "optional"),
    str("Pod", "snappy,dict", "optional"),
    str("Container", "snappy,dict", "optional"),
    str("K8sClusterName", "snappy,dict", "optional"),
    str("K8sNamespaceName", "snappy,dict", "optional"),
    str("K8sPodName", "snappy,dict", "optional"),
    str("K8sContainerName", "snappy,dict", "optional"),
    dedicated(),
  ]);

const scope = () =>
  group("Scope", [
    str("Name", "snappy,dict"),
    str("Version", "snappy,dict"),
    attributes(),
    droppedAttributes(),
  ]);

const events = () =>
  list("Events", [
    u64("TimeSinceStartNano", "delta"),
    str("Name", "snappy,dict"),
    attributes(),
    droppedAttributes(),
  ]);

const links = () =>
  list("Links", [
    bytes("TraceID"),
    bytes("SpanID"),
    str("TraceState", "snappy"),
    attributes(),
    droppedAttributes(),
  ]);

const spans = () =>
  list("Spans", [
    bytes("SpanID"),
    bytes("ParentSpanID"),
    i32("ParentID", "delta"),
    i32("NestedSetLeft", "delta"),
    i32("NestedSetRight", "delta"),
    str("Name", "snappy,dict"),
    i64("Kind", "delta"),
    str("TraceState", "snappy"),
    u64("StartTimeUnixNano", "delta"),
    u64("DurationNano", "delta"),
    i64("StatusCode", "delta"),
    str("StatusMessage", "snappy"),
    attributes(),
    droppedAttributes(),
    events(),
    i32("DroppedEventsCount", "snappy"),
    links(),
    i32("DroppedLinksCount", "snappy"),
    str("HttpMethod", "snappy,dict", "optional"),
    str("HttpUrl", "snappy,dict", "optional"),
    i64("HttpStatusCode", "snappy", "optional"),
    dedicated(),
  ]);

const serviceStats = (): SchemaNode => ({
  name: "ServiceStats",
  repetition: "required",
  logical: "map",
  children: [
    group(
      "key_value",
      [str("key"), group("value", [u32("SpanCount", "delta"), u32("ErrorCount", "delta")])],
      "repeated",
    ),
  ],
});

export function schemaV4(): SchemaNode {
  return group("Trace", [
    bytes("TraceID"),
    str("TraceIDText", "snappy"),
    u64("StartTimeUnixNano", "delta"),
    u64("EndTimeUnixNano", "delta"),
    u64("DurationNano", "delta"),
    str("RootServiceName", "dict"),
    str("RootSpanName", "dict"),
    serviceStats(),
    list("rs", [resource(), list("ss", [scope(), spans()])]),
  ]);
}
