// Where in a row group the values are that a condition asks for, and what they have to be.
import { AttrType, Column } from "../../wasm/column_ids.ts";
import { compileMatch, MatchTooComplex } from "../search/match.ts";
import type {
  Attribute,
  ComparisonOp,
  IntrinsicName,
  KindName,
  Literal,
  StatusName,
} from "../traceql/index.ts";
import type { FieldLeaf, OwnerLeaves, ReadLeaf, TraceLeaves } from "./read_columns.ts";
import type { OpenFile } from "./read_file.ts";
import {
  floatTest,
  type IntOrder,
  intTest,
  type LeafTest,
  numericValue,
  presence,
  type TextTest,
} from "./read_predicate.ts";

/** Where a value may be, and what it has to be; a list of attributes also has to have the key. */
export interface Place {
  read: ReadLeaf;
  test: LeafTest;
  key: { read: ReadLeaf; test: TextTest } | null;
}

const exactSigned: IntOrder = { unsigned: false, exact: true };

const statusCodes: Record<StatusName, bigint> = { unset: 0n, ok: 1n, error: 2n };
const kinds: Record<KindName, bigint> = {
  unspecified: 0n,
  internal: 1n,
  server: 2n,
  client: 3n,
  producer: 4n,
  consumer: 5n,
};

const encoder = new TextEncoder();

function textTest(op: ComparisonOp, text: string, emptyIsAbsent = false): TextTest | null {
  try {
    return { kind: "text", match: compileMatch(op, text), op, literal: encoder.encode(text), emptyIsAbsent };
  } catch (error) {
    if (error instanceof MatchTooComplex) return null;
    throw error;
  }
}

/** Places where a value that compares like this may be; null: anywhere. */
export function comparisonPlaces(
  open: OpenFile,
  group: number,
  attribute: Attribute,
  op: ComparisonOp,
  value: Literal,
): Place[] | null {
  if (attribute.kind === "intrinsic") return intrinsicPlaces(open.leaves, attribute.name, op, value);
  if (attribute.parent) return null;
  const places: Place[] = [];
  for (const table of tablesOf(open.leaves, attribute.scope)) {
    const found =
      table === "messages"
        ? linkMessagePlaces(open, group)
        : attributePlaces(table, attribute.name, op, value);
    if (!found) return null;
    places.push(...found);
  }
  return places;
}

export function existencePlaces(open: OpenFile, group: number, attribute: Attribute): Place[] | null {
  if (attribute.kind === "intrinsic" || attribute.parent) return null;
  const places: Place[] = [];
  const { name, scope } = attribute;
  for (const table of tablesOf(open.leaves, scope)) {
    if (table === "messages") {
      const found = linkMessagePlaces(open, group);
      if (!found) return null;
      places.push(...found);
      continue;
    }
    const { key, dedicated, statics, serviceName } = table;
    for (const read of [...dedicated, ...statics]) {
      if (read.name === name) places.push({ read, test: presence, key: null });
    }
    if (serviceName && name === "service.name") {
      places.push({ read: serviceName, test: textTest("!=", "", true)!, key: null });
    }
    if (key) places.push({ read: key, test: textTest("=", name)!, key: null });
  }
  return places;
}

type Scope = Extract<Attribute, { kind: "attribute" }>["scope"];

function tablesOf(leaves: TraceLeaves, scope: Scope): (OwnerLeaves | "messages")[] {
  switch (scope) {
    case "none":
      return [leaves.spans, leaves.resources];
    case "span":
      return [leaves.spans];
    case "resource":
      return [leaves.resources];
    case "instrumentation":
      return [leaves.scopes];
    case "event":
      return [leaves.events];
    case "link":
      return [leaves.linkMessages && !leaves.linkTraceId ? "messages" : leaves.links];
  }
}

/** Links that are stored as messages can't be told from outside, but whether there are any. */
function linkMessagePlaces({ file, leaves }: OpenFile, group: number): Place[] | null {
  const { zero } = file.rowGroups[group]!.chunks;
  return leaves.linkMessages && zero[leaves.linkMessages.leaf.index] === 1 ? [] : null;
}

function attributePlaces(table: OwnerLeaves, name: string, op: ComparisonOp, value: Literal): Place[] | null {
  const places: Place[] = [];
  const keyTest = textTest("=", name)!;
  const generic = (type: number, test: LeafTest): void => {
    if (!table.key) return;
    for (const { read, type: stored } of table.values) {
      if (stored === type) places.push({ read, test, key: { read: table.key, test: keyTest } });
      // Arrays as texts, and values as messages, which vParquet3 has.
      const hidden = read.leaf.path.endsWith(".ValueArray") || stored === messageType;
      if (hidden) places.push({ read, test: presence, key: { read: table.key, test: keyTest } });
    }
  };
  const own = (type: AttrType, test: LeafTest): void => {
    for (const read of [...table.dedicated, ...table.statics]) {
      if (read.name === name && read.type === type) places.push({ read, test, key: null });
    }
  };
  switch (value.type) {
    case "string": {
      const test = textTest(op, value.value);
      if (!test) return null;
      own(AttrType.String, test);
      if (table.serviceName && name === "service.name") {
        places.push({ read: table.serviceName, test: { ...test, emptyIsAbsent: true }, key: null });
      }
      generic(AttrType.String, test);
      return places;
    }
    case "int": {
      const test = intTest(op, value.value, exactSigned);
      own(AttrType.Int, test);
      generic(AttrType.Int, test);
      return places;
    }
    case "float":
      generic(AttrType.Double, floatTest(op, value.value));
      return places;
    case "bool":
      generic(AttrType.Bool, intTest(op, value.value ? 1n : 0n, exactSigned));
      return places;
    default:
      // Attributes are never durations, statuses or kinds.
      return [];
  }
}

/** Type of a leaf that holds protobuf messages, as in read_columns.ts. */
const messageType = 0x81;

type IntrinsicLeaf = { kind: "text" | "signed" | "unsigned"; leaf: (leaves: TraceLeaves) => ReadLeaf | null };

function fieldOf(fields: readonly FieldLeaf[], column: Column): ReadLeaf | null {
  return fields.find((field) => field.column === column) ?? null;
}

function ofSpans(kind: IntrinsicLeaf["kind"], column: Column): IntrinsicLeaf {
  return { kind, leaf: ({ spans }) => fieldOf(spans.fields, column) };
}

function ofTraces(kind: IntrinsicLeaf["kind"], column: Column): IntrinsicLeaf {
  return { kind, leaf: ({ traces }) => fieldOf(traces, column) };
}

function nested(column: Column): IntrinsicLeaf {
  return { kind: "signed", leaf: (leaves) => fieldOf(leaves.nested, column) };
}

/** Intrinsics with a column whose values are theirs. */
const intrinsicLeaves: Partial<Record<IntrinsicName, IntrinsicLeaf>> = {
  duration: ofSpans("unsigned", Column.SpanDuration),
  name: ofSpans("text", Column.SpanName),
  status: ofSpans("signed", Column.SpanStatus),
  statusMessage: ofSpans("text", Column.SpanStatusMessage),
  kind: ofSpans("signed", Column.SpanKind),
  traceDuration: ofTraces("unsigned", Column.TraceDuration),
  rootName: ofTraces("text", Column.TraceRootName),
  rootServiceName: ofTraces("text", Column.TraceRootService),
  "event:name": { kind: "text", leaf: ({ events }) => fieldOf(events.fields, Column.EventName) },
  "event:timeSinceStart": {
    kind: "unsigned",
    leaf: ({ eventTime, eventTimeIsRelative }) => (eventTimeIsRelative ? eventTime : null),
  },
  "instrumentation:name": { kind: "text", leaf: ({ scopes }) => fieldOf(scopes.fields, Column.ScopeName) },
  "instrumentation:version": {
    kind: "text",
    leaf: ({ scopes }) => fieldOf(scopes.fields, Column.ScopeVersion),
  },
  nestedSetLeft: nested(Column.NestedLeft),
  nestedSetRight: nested(Column.NestedRight),
  nestedSetParent: nested(Column.NestedParent),
};

function intrinsicPlaces(
  leaves: TraceLeaves,
  name: IntrinsicName,
  op: ComparisonOp,
  value: Literal,
): Place[] | null {
  if (name === "trace:id") return traceIdPlaces(leaves, op, value);
  const intrinsic = intrinsicLeaves[name];
  const read = intrinsic?.leaf(leaves);
  if (!intrinsic || !read) return null;
  const test = intrinsicTest(intrinsic, name, op, value);
  return test && [{ read, test, key: null }];
}

function intrinsicTest(
  { kind }: IntrinsicLeaf,
  name: IntrinsicName,
  op: ComparisonOp,
  value: Literal,
): LeafTest | null {
  if (kind === "text") return value.type === "string" ? textTest(op, value.value) : null;
  if (name === "status")
    return value.type === "status" ? intTest(op, statusCodes[value.value], exactSigned) : null;
  if (name === "kind") return value.type === "kind" ? intTest(op, kinds[value.value], exactSigned) : null;
  const number = numericValue(value);
  if (number === null) return null;
  const exact = kind === "signed" && value.type === "int";
  return intTest(op, number, { unsigned: kind === "unsigned", exact });
}

/** Trace ids are stored whole and compared without leading zeros. */
function traceIdPlaces({ traceId }: TraceLeaves, op: ComparisonOp, value: Literal): Place[] | null {
  if (op !== "=" || value.type !== "string" || !/^[0-9a-f]{1,32}$/.test(value.value)) return null;
  const literal = Buffer.from(value.value.padStart(32, "0"), "hex");
  const match = { test: (bytes: Uint8Array) => Buffer.compare(bytes, literal) === 0 };
  return [{ read: traceId, test: { kind: "text", match, op, literal, emptyIsAbsent: false }, key: null }];
}
