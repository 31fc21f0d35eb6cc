// The schema of vParquet3 blocks, which are written only where such blocks are merged.
import type { SchemaNode } from "./schema.ts";
import { bool, bytes, f64, group, i32, i64, list, numbered, str, u64 } from "./schema_nodes.ts";

const dedicated = () =>
  group(
    "DedicatedAttributes",
    numbered("String", 10, (name) => str(name, "snappy,dict", "optional")),
  );

const attributes = () =>
  list("Attrs", [
    str("Key", "snappy,dict"),
    str("Value", "snappy,dict", "optional"),
    i64("ValueInt", "snappy", "optional"),
    f64("ValueDouble", "snappy", "optional"),
    bool("ValueBool", "snappy", "optional"),
    str("ValueKVList", "snappy", "optional"),
    str("ValueArray", "snappy", "optional"),
  ]);

const resource = () =>
  group("Resource", [
    attributes(),
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

const event = () =>
  list("Events", [
    u64("TimeUnixNano", "delta"),
    str("Name", "snappy"),
    list("Attrs", [str("Key", "snappy,dict"), bytes("Value", "snappy")]),
    i32("DroppedAttributesCount", "snappy,delta"),
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
    i32("DroppedAttributesCount", "snappy"),
    event(),
    i32("DroppedEventsCount", "snappy"),
    bytes("Links", "snappy"),
    i32("DroppedLinksCount", "snappy"),
    str("HttpMethod", "snappy,dict", "optional"),
    str("HttpUrl", "snappy,dict", "optional"),
    i64("HttpStatusCode", "snappy", "optional"),
    dedicated(),
  ]);

export function schemaV3(): SchemaNode {
  return group("Trace", [
    bytes("TraceID"),
    str("TraceIDText", "snappy"),
    u64("StartTimeUnixNano", "delta"),
    u64("EndTimeUnixNano", "delta"),
    u64("DurationNano", "delta"),
    str("RootServiceName", "dict"),
    str("RootSpanName", "dict"),
    list("rs", [
      resource(),
      list("ss", [group("Scope", [str("Name", "snappy,dict"), str("Version", "snappy,dict")]), spans()]),
    ]),
  ]);
}
