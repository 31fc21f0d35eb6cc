// candidateRows() never rules out a row that has what is asked for, and rules out what can be known not to.
import { describe, expect, test } from "bun:test";
import { Column } from "../../wasm/column_ids.ts";
import { SpanBatch } from "../batch/span_batch.ts";
import type { Necessary } from "../search/projection.ts";
import type { Attribute, ComparisonOp, IntrinsicName, Literal, Scope } from "../traceql/index.ts";
import { haveFixtures } from "./encode_fixture.ts";
import type { BlockReader } from "./read.ts";
import { type GoldenTenant, goldenTenants, openGolden, ownBlock } from "./read_fixture.ts";
import type { RowRange } from "./read_plan.ts";
import { traceJson } from "./trace_peer.ts";

// biome-ignore lint/suspicious/noExplicitAny: JSON as the peer gives it
type Json = any;
type Value = { type: Literal["type"]; value: string | bigint | number | boolean };

const position = { offset: 0, line: 1, column: 1 };

function attributeOf(scope: Scope, name: string): Attribute {
  return { kind: "attribute", scope, name, parent: false, position } as Attribute;
}

function intrinsic(name: IntrinsicName): Attribute {
  return { kind: "intrinsic", name, position } as Attribute;
}

function literalOf({ type, value }: Value): Literal {
  return { kind: "literal", type, value, position } as Literal;
}

function comparison(attribute: Attribute, op: ComparisonOp, value: Value): Necessary {
  return { kind: "comparison", attribute, op, value: literalOf(value) };
}

function existence(attribute: Attribute): Necessary {
  return { kind: "existence", attribute };
}

const text = (value: string): Value => ({ type: "string", value });
const int = (value: bigint): Value => ({ type: "int", value });
const duration = (value: bigint): Value => ({ type: "duration", value });

/** Values of an AnyValue that the language sees: those of an array count each, if they have one type. */
function valuesOf(any: Json): Value[] {
  if (!any) return [];
  if (any.stringValue !== undefined) return [text(any.stringValue)];
  if (any.intValue !== undefined) return [int(BigInt(any.intValue))];
  if (any.doubleValue !== undefined) return [{ type: "float", value: Number(any.doubleValue) }];
  if (any.boolValue !== undefined) return [{ type: "bool", value: any.boolValue }];
  const elements: Json[] = any.arrayValue?.values ?? [];
  const scalar = elements.map((element) => (element.arrayValue ? [] : valuesOf(element)));
  const flat = scalar.flat();
  return flat.length === elements.length && flat.every(({ type }) => type === flat[0]!.type) ? flat : [];
}

function named(attributes: Json[] | undefined, name: string): Value[] {
  return (attributes ?? []).filter(({ key }) => key === name).flatMap(({ value }) => valuesOf(value));
}

interface StoredSpan {
  span: Json;
  scope: Json;
  resource: Json;
}

function kindOf(kind = "SPAN_KIND_UNSPECIFIED"): string {
  return kind.slice("SPAN_KIND_".length).toLowerCase();
}

const statuses: Record<string, string> = { STATUS_CODE_OK: "ok", STATUS_CODE_ERROR: "error" };

function numberValue(value: Json): bigint {
  return BigInt(value ?? 0);
}

/** What an attribute is on a span; of events and links, what it is on any. */
function onSpan({ span, scope, resource }: StoredSpan, attribute: Attribute): Value[] {
  if (attribute.kind === "intrinsic") {
    switch (attribute.name) {
      case "name":
        return [text(span.name ?? "")];
      case "statusMessage":
        return [text(span.status?.message ?? "")];
      case "status":
        return typeof span.status?.code === "number"
          ? []
          : [{ type: "status", value: statuses[span.status?.code] ?? "unset" }];
      case "kind":
        return typeof span.kind === "number" ? [] : [{ type: "kind", value: kindOf(span.kind) }];
      case "duration":
        return [
          duration(
            BigInt.asIntN(64, numberValue(span.endTimeUnixNano) - numberValue(span.startTimeUnixNano)),
          ),
        ];
      case "event:name":
        return (span.events ?? []).map((event: Json) => text(event.name ?? ""));
      case "event:timeSinceStart":
        return (span.events ?? []).map((event: Json) =>
          duration(BigInt.asIntN(64, numberValue(event.timeUnixNano) - numberValue(span.startTimeUnixNano))),
        );
      case "instrumentation:name":
        return [text(scope?.name ?? "")];
      case "instrumentation:version":
        return [text(scope?.version ?? "")];
      default:
        return [];
    }
  }
  const { name } = attribute;
  switch (attribute.scope) {
    case "span":
      return named(span.attributes, name);
    case "resource":
      return named(resource?.attributes, name);
    case "none":
      return [...named(span.attributes, name), ...named(resource?.attributes, name)];
    case "instrumentation":
      return named(scope?.attributes, name);
    case "event":
      return (span.events ?? []).flatMap((event: Json) => named(event.attributes, name));
    case "link":
      return (span.links ?? []).flatMap((link: Json) => named(link.attributes, name));
  }
}

function compares(stored: Value, op: ComparisonOp, literal: Value): boolean {
  const numeric = stored.type === "duration" && literal.type !== "string";
  if (stored.type !== literal.type && !numeric) return false;
  if (stored.type === "string") {
    const a = Buffer.from(stored.value as string);
    const order = Buffer.compare(a, Buffer.from(literal.value as string));
    const matches = () => new RegExp(`^(?:${literal.value})$`, "su").test(stored.value as string);
    switch (op) {
      case "=":
        return order === 0;
      case "!=":
        return order !== 0;
      case "<":
        return order < 0;
      case "<=":
        return order <= 0;
      case ">":
        return order > 0;
      case ">=":
        return order >= 0;
      case "=~":
        return matches();
      case "!~":
        return !matches();
    }
  }
  const [a, b] = [stored.value, literal.value];
  switch (op) {
    case "=":
      return a === b;
    case "!=":
      return a !== b;
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
    default:
      return false;
  }
}

function holds(span: StoredSpan, necessary: Necessary): boolean {
  switch (necessary.kind) {
    case "maybe":
      return true;
    case "never":
      return false;
    case "all":
      return necessary.of.every((part) => holds(span, part));
    case "any":
      return necessary.of.some((part) => holds(span, part));
    case "existence":
      return onSpan(span, necessary.attribute).length > 0;
    case "comparison":
      return onSpan(span, necessary.attribute).some((stored) =>
        compares(stored, necessary.op, necessary.value as Value),
      );
  }
}

async function spansByRow(reader: BlockReader, group: number): Promise<StoredSpan[][]> {
  const batch = SpanBatch.create();
  await reader.readRowGroup(batch, group);
  return Array.from({ length: batch.traces }, (_, trace) => {
    const length = batch.core.assembleTrace!(trace);
    const { resourceSpans = [] } = traceJson(batch.output(length)) as Json;
    return resourceSpans.flatMap(({ resource, scopeSpans }: Json) =>
      scopeSpans.flatMap(({ scope, spans }: Json) => spans.map((span: Json) => ({ span, scope, resource }))),
    );
  });
}

const intrinsics: IntrinsicName[] = [
  "name",
  "statusMessage",
  "status",
  "kind",
  "duration",
  "event:name",
  "event:timeSinceStart",
  "instrumentation:name",
  "instrumentation:version",
];

/** Every attribute that spans have, and some that none has. */
function attributesIn(spans: StoredSpan[]): Attribute[] {
  const names = new Map<string, Attribute>();
  const add = (scope: Scope, list: Json[] | undefined): void => {
    for (const { key } of list ?? []) names.set(`${scope}.${key}`, attributeOf(scope, key ?? ""));
  };
  for (const { span, scope, resource } of spans) {
    add("span", span.attributes);
    add("none", span.attributes);
    add("resource", resource?.attributes);
    add("none", resource?.attributes);
    add("instrumentation", scope?.attributes);
    for (const event of span.events ?? []) add("event", event.attributes);
    for (const link of span.links ?? []) add("link", link.attributes);
  }
  return [...names.values(), ...intrinsics.map(intrinsic), attributeOf("none", "no such name")];
}

function quoted(value: string): string {
  return value.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

function random(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** Something to ask of an attribute, near to a value that it has somewhere. */
function predicate(attribute: Attribute, values: Value[], next: (bound: number) => number): Necessary {
  if (next(8) === 0) return existence(attribute);
  const stored = values.length > 0 ? values[next(values.length)]! : text("x");
  const orders: ComparisonOp[] = ["=", "!=", "<", "<=", ">", ">="];
  switch (stored.type) {
    case "string": {
      const value = stored.value as string;
      const cut = [...value].slice(0, next(value.length + 1)).join("");
      const choices: [ComparisonOp, string][] = [
        [orders[next(6)]!, [value, `${value}!`, cut, ""][next(4)]!],
        [next(2) ? "=~" : "!~", [quoted(value), `${quoted(cut)}.*`, `.*${quoted(cut)}`][next(3)]!],
      ];
      const [op, literal] = choices[next(2)]!;
      return comparison(attribute, op, text(literal));
    }
    case "int":
    case "duration": {
      const value = (stored.value as bigint) + BigInt(next(3) - 1);
      return comparison(attribute, orders[next(6)]!, { type: stored.type, value: BigInt.asIntN(64, value) });
    }
    case "float":
      return comparison(attribute, orders[next(6)]!, {
        type: "float",
        value: [stored.value as number, (stored.value as number) * 2, 0][next(3)]!,
      });
    case "bool":
      return comparison(attribute, orders[next(2)]!, { type: "bool", value: next(2) === 0 });
    default:
      return comparison(attribute, orders[next(2)]!, stored);
  }
}

function contains(ranges: RowRange[], row: number): boolean {
  return ranges.some(({ start, end }) => start <= row && row < end);
}

/** Holds what is ruled out against every span. Returns how often something was. */
async function expectNothingLost(reader: BlockReader, seed: number): Promise<number> {
  const next = random(seed);
  let pruned = 0;
  for (let group = 0; group < Math.min(3, await reader.rowGroups()); group++) {
    const byRow = await spansByRow(reader, group);
    const sample = byRow.slice(0, 400).flat();
    const attributes = attributesIn(sample);
    const asked = attributes.flatMap((attribute) => {
      const values = sample.flatMap((span) => onSpan(span, attribute));
      return Array.from({ length: 4 }, () => predicate(attribute, values, next));
    });
    for (let i = 0; i < 100; i++) {
      const of = Array.from({ length: 2 + next(2) }, () => asked[next(asked.length)]!);
      asked.push({ kind: next(2) ? "all" : "any", of });
    }
    for (const necessary of asked) {
      const ranges = await reader.candidateRows(group, necessary, null);
      const rows = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
      if (rows === byRow.length) continue;
      pruned++;
      for (const [row, spans] of byRow.entries()) {
        if (contains(ranges, row)) continue;
        const lost = spans.find((span) => holds(span, necessary));
        if (lost) throw new Error(`row ${row} of ${JSON.stringify(ranges)} has ${printed(necessary)}`);
      }
    }
  }
  return pruned;
}

function printed(necessary: Necessary): string {
  return JSON.stringify(necessary, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
}

describe.skipIf(!haveFixtures)("candidateRows() loses no row that has what is asked for", () => {
  for (const golden of goldenTenants().filter(({ tenant }) => tenant !== "load")) {
    test(`${golden.root} ${golden.tenant}`, async () => {
      let pruned = 0;
      const readers = await openGolden(golden);
      for (const [i, reader] of readers.entries()) pruned += await expectNothingLost(reader, i + 1);
      // A test of what is ruled out is worth nothing if nothing is.
      if (readers.length > 0 && golden.tenant !== "v1-bare") expect(pruned).toBeGreaterThan(10);
    }, 120_000);
  }

  for (const pageBytesMax of [512, 131_072]) {
    test(`our blocks, pages of ${pageBytesMax} bytes`, async () => {
      for (const tenant of ["rich", "edge", "dedicated"]) {
        expect(await expectNothingLost(await ownBlock(tenant, pageBytesMax), 5)).toBeGreaterThan(10);
      }
    }, 120_000);
  }
});

describe.skipIf(!haveFixtures)("candidateRows() rules out", () => {
  const rich = { root: "vParquet4", tenant: "rich" };
  const load = { root: "vParquet4", tenant: "load" };
  const service = attributeOf("resource", "service.name");
  const none: [string, GoldenTenant, Necessary][] = [
    ["a name that no dictionary has", rich, comparison(intrinsic("name"), "=", text("no such name"))],
    ["a pattern that no entry of a dictionary fits", rich, comparison(intrinsic("name"), "=~", text("zz.*"))],
    ["a key that no list has", rich, existence(attributeOf("span", "no.such.key"))],
    ["a service that there is not", rich, comparison(service, "=", text("nobody"))],
    ["a text that no list has", rich, comparison(attributeOf("none", "t.int"), "=", text("no such text"))],
    ["an int above all", load, comparison(attributeOf("span", "http.status_code"), ">", int(100_000n))],
    [
      "a status of an attribute",
      rich,
      comparison(attributeOf("span", "a"), "=", { type: "status", value: "ok" }),
    ],
    ["a duration above all", rich, comparison(intrinsic("traceDuration"), ">", duration(1n << 60n))],
    ["a trace id below all", load, comparison(intrinsic("trace:id"), "=", text("1"))],
    ["what never is", rich, { kind: "never" }],
    [
      "one of two that there is not",
      rich,
      {
        kind: "all",
        of: [comparison(service, "=", text("frontend")), comparison(service, "=", text("nobody"))],
      },
    ],
  ];
  for (const [what, golden, necessary] of none) {
    test(what, async () => {
      const [reader] = await openGolden(golden);
      expect(await reader!.candidateRows(0, necessary, null)).toEqual([]);
    });
  }

  test("nothing that it does not understand", async () => {
    const [reader] = await openGolden(rich);
    const all = await reader!.candidateRows(0, { kind: "maybe" }, null);
    expect(all).toEqual([{ start: 0, end: 138 }]);
    for (const necessary of [
      comparison(intrinsic("span:id"), "=", text("00")),
      comparison(intrinsic("trace:id"), "=~", text("zz.*")),
      comparison(intrinsic("span:childCount"), ">", int(1000n)),
      comparison(service, "=", text("frontend")),
      { kind: "any", of: [{ kind: "never" }, { kind: "maybe" }] } as Necessary,
    ]) {
      expect(await reader!.candidateRows(0, necessary, null)).toEqual(all);
    }
  });

  test("traces outside of the window", async () => {
    const [reader] = await openGolden(rich);
    const batch = SpanBatch.create();
    const projection = { traceIds: false, columns: [Column.TraceStart, Column.TraceEnd], attributes: {} };
    await reader!.readRowGroup(batch, 0, { projection });
    // One trace has times of 0, so that every window up to the last end may hold it.
    const last = [...batch.u64(Column.TraceEnd, batch.traces)].sort((a, b) => Number(b - a))[0]!;
    const window = { startNanos: last + 1n, endNanos: last + 10n };
    expect(await reader!.candidateRows(0, { kind: "maybe" }, window)).toEqual([]);
    expect(await reader!.candidateRows(0, { kind: "maybe" }, { ...window, startNanos: last })).not.toEqual(
      [],
    );
  });

  test("pages whose bounds do not hold the value", async () => {
    const reader = await ownBlock("rich", 512);
    const all = await reader.candidateRows(0, { kind: "maybe" }, null);
    const long = await reader.candidateRows(
      0,
      comparison(intrinsic("duration"), ">=", duration(3_600_000_000_000n)),
      null,
    );
    expect(long.length).toBeGreaterThan(0);
    expect(long).not.toEqual(all);
  });

  test("a value that a chunk has only behind its dictionary is not ruled out", async () => {
    const fallback = { root: "foreign-vParquet4", tenant: "dictionary-fallback" };
    const [reader] = await openGolden(fallback);
    const byRow = await spansByRow(reader!, 0);
    const names = new Set(byRow.flat().map(({ span }) => span.name ?? ""));
    expect(names.size).toBe(188);
    for (const name of names) {
      const rows = await reader!.candidateRows(0, comparison(intrinsic("name"), "=", text(name)), null);
      const expected = byRow.findIndex((spans) => spans.some(({ span }) => (span.name ?? "") === name));
      expect(contains(rows, expected)).toBe(true);
    }
  });
});
