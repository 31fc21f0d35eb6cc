// The dedicated columns of vParquet5: which attributes they take, of resources, spans and events.
import { expect, test } from "bun:test";
import { attribute, field, fixed64, id, message, span, text, varintField } from "../batch/wire_fixture.ts";
import type { DedicatedColumn } from "./dedicated.ts";
import { batchOf, type Row, readMetadata, readRows, write } from "./encode_fixture.ts";

const version = "vParquet5";

type Value = string | bigint | boolean | Value[];

function wireValue(value: Value): Uint8Array {
  if (typeof value === "string") return text(1, value);
  if (typeof value === "boolean") return varintField(2, value ? 1n : 0n);
  if (typeof value === "bigint") return varintField(3, BigInt.asUintN(64, value));
  return field(5, message(...value.map((element) => field(1, wireValue(element)))));
}

type Attributes = [key: string, value: Value][];

interface SpanInput {
  attributes?: Attributes;
  events?: Attributes[];
}

const wireAttributes = (number: number, list: Attributes = []): Uint8Array[] =>
  list.map(([key, value]) => field(number, attribute(key, wireValue(value))));

/** Spans of one trace and resource, in this order. */
function requestOf(resource: Attributes, spans: readonly SpanInput[]): Uint8Array {
  const wires = spans.map(({ attributes, events = [] }, i) =>
    span({
      trace: id(16, 1),
      id: i + 1,
      fields: [
        ...wireAttributes(9, attributes),
        ...events.map((list) => field(11, message(fixed64(1, 5n), ...wireAttributes(3, list)))),
      ],
    }),
  );
  const scoped = message(...wires.map((wire) => field(2, wire)));
  return field(1, message(field(1, message(...wireAttributes(1, resource))), field(2, scoped)));
}

function column(
  scope: DedicatedColumn["scope"],
  name: string,
  type: DedicatedColumn["type"] = "string",
  options: DedicatedColumn["options"] = [],
): DedicatedColumn {
  return { scope, name, type, options };
}

/** A generic attribute as the value that it was; null: something that has no type of its own. */
function genericValue({ IsArray, Value, ValueInt, ValueBool, ValueUnsupported }: Row): Value | null {
  if (ValueUnsupported !== null) return null;
  const values: Value[] = [...(Value ?? []), ...(ValueInt ?? []), ...(ValueBool ?? [])];
  return IsArray ? values : values[0]!;
}

/** What a group of attributes holds: those in columns by the name of the column, and all others in order. */
function held({ Attrs, DedicatedAttributes }: Row): { own: Record<string, Value[]>; generic: Row[] } {
  const own: Record<string, Value[]> = {};
  for (const [name, values] of Object.entries((DedicatedAttributes ?? {}) as Record<string, Value[]>)) {
    if (values?.length) own[name] = values;
  }
  return { own, generic: (Attrs ?? []).map((attr: Row) => [attr.Key, genericValue(attr)]) };
}

async function written(request: Uint8Array, columns: DedicatedColumn[], options = {}) {
  const { data, meta } = await write(batchOf([request]), { version, dedicatedColumns: columns, ...options });
  const rows = await readRows(data);
  const [{ Resource, ss }] = rows[0].rs;
  const spans: Row[] = ss[0].Spans;
  return {
    data,
    meta,
    resource: held(Resource),
    spans: spans.map((one) => ({ ...held(one), events: ((one.Events ?? []) as Row[]).map(held) })),
  };
}

test("a column takes values and arrays of its type, in every scope", async () => {
  const columns = (["resource", "span", "event"] as const).flatMap((scope) => [
    column(scope, "text"),
    column(scope, "list", "string", ["array"]),
    column(scope, "long", "string", ["blob"]),
    column(scope, "number", "int"),
    column(scope, "numbers", "int", ["array"]),
  ]);
  const attributes: Attributes = [
    ["text", "a"],
    ["list", ["x", "", "x"]],
    ["long", "l"],
    ["number", -5n],
    ["numbers", [1n, 2n]],
    ["other", "o"],
  ];
  const expected = {
    own: {
      String01: ["a"],
      String02: ["x", "", "x"],
      String03: ["l"],
      Int01: [-5n],
      Int02: [1n, 2n],
    },
    generic: [["other", "o"]] as Row[],
  };
  const { resource, spans, meta } = await written(
    requestOf(attributes, [{}, { attributes, events: [[], attributes, [["number", [7n]]]] }, {}]),
    columns,
  );
  expect(meta.dedicatedColumns).toEqual(columns);
  expect(resource).toEqual(expected);
  const nothing = { own: {}, generic: [] };
  expect(spans).toEqual([
    { ...nothing, events: [] },
    { ...expected, events: [nothing, expected, { own: { Int01: [7n] }, generic: [] }] },
    { ...nothing, events: [] },
  ]);
});

test("what does not fit a column stays a generic attribute", async () => {
  const attributes: Attributes = [
    ["text", 1n],
    ["text", true],
    ["text", [1n]],
    ["text", [true, false]],
    ["text", ["a", 1n]],
    ["text", [["a"]]],
    ["number", "1"],
    ["number", ["1"]],
    ["number", [1n, "1"]],
  ];
  const columns = [column("span", "text"), column("span", "number", "int"), column("event", "text")];
  const { spans } = await written(requestOf([], [{ attributes, events: [attributes] }]), columns);
  const generic = [1n, true, [1n], [true, false], null, null, "1", ["1"], null].map((value, i) => [
    i < 6 ? "text" : "number",
    value,
  ]);
  expect(spans[0]).toEqual({ own: {}, generic, events: [{ own: {}, generic }] });
});

test("an empty array is lost, as with Tempo, and the last of two values counts", async () => {
  const columns = [column("span", "text"), column("span", "number", "int")];
  const of = async (...attributes: Attributes) => {
    const { spans } = await written(
      requestOf([], [{ attributes }, { attributes: [["text", "t"]] }]),
      columns,
    );
    expect(spans[1]!.own).toEqual({ String01: ["t"] });
    return { own: spans[0]!.own, generic: spans[0]!.generic };
  };
  expect(await of(["text", []])).toEqual({ own: {}, generic: [] });
  expect(await of(["text", ["a"]])).toEqual({ own: { String01: ["a"] }, generic: [] });
  expect(await of(["text", ["a", "b"]], ["text", "c"])).toEqual({ own: { String01: ["c"] }, generic: [] });
  expect(await of(["text", "c"], ["text", ["a", "b"]])).toEqual({
    own: { String01: ["a", "b"] },
    generic: [],
  });
  expect(await of(["number", 1n], ["number", "x"], ["number", [2n, 3n]])).toEqual({
    own: { Int01: [2n, 3n] },
    generic: [["number", "x"]],
  });
});

test("an array under the name of the service is no service name", async () => {
  const request = requestOf([["service.name", ["a", "b"]]], [{}]);
  const { data, resource } = await written(request, []);
  expect(resource.generic).toEqual([["service.name", ["a", "b"]]]);
  expect((await readRows(data))[0].ServiceStats).toEqual([{ ServiceName: "", SpanCount: 1, ErrorCount: 0 }]);
});

test("a block has the columns of its meta alone", async () => {
  const paths = async (columns: DedicatedColumn[]) => {
    const { data } = await written(requestOf([], [{}]), columns);
    const [group] = readMetadata(data).row_groups;
    const found = group!.columns.map(({ meta_data }) => meta_data!.path_in_schema.join("."));
    return found.filter((path) => path.includes("Dedicated"));
  };
  expect(await paths([])).toEqual([]);
  expect(await paths([column("event", "a", "int"), column("resource", "b"), column("event", "c")])).toEqual([
    "rs.Resource.DedicatedAttributes.String01",
    "rs.ss.Spans.Events.DedicatedAttributes.String01",
    "rs.ss.Spans.Events.DedicatedAttributes.Int01",
  ]);
});

test("spans are counted by scope, and services listed by name", async () => {
  const resourceSpans = (service: string, scopes: [name: string, spans: number[]][]) =>
    field(
      1,
      message(
        field(1, message(field(1, attribute("service.name", text(1, service))))),
        ...scopes.map(([name, numbers]) =>
          field(
            2,
            message(
              field(1, text(1, name)),
              ...numbers.map((number) =>
                field(2, span({ trace: id(16, (number % 2) + 1), id: number, start: BigInt(number) })),
              ),
            ),
          ),
        ),
      ),
    );
  const more = Array.from({ length: 40 }, (_, i) => `s${(i * 17) % 40}`);
  const services = ["b", "", "zz", "a", "z", "ab", "a\u00e9", ...more];
  const request = message(
    ...services.map((service, i) =>
      resourceSpans(service, [
        ["x", [10 * i + 2, 10 * i + 4, 10 * i + 1]],
        ["y", [10 * i + 6]],
      ]),
    ),
  );
  const rows = await readRows((await write(batchOf([request]), { version })).data);
  expect(rows.length).toBe(2);
  // The numbers that are odd are of the second trace.
  expect(rows.map(({ rs }) => rs.map(({ ss }: Row) => ss.map(({ SpanCount }: Row) => SpanCount)))).toEqual([
    services.map(() => [2, 1]),
    services.map(() => [1]),
  ]);
  const sorted = [...services].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  expect(sorted.slice(0, 5)).toEqual(["", "a", "ab", "a\u00e9", "b"]);
  for (const { ServiceStats } of rows) {
    expect(ServiceStats.map(({ ServiceName }: Row) => ServiceName)).toEqual(sorted);
  }
});

test("starts are rounded up to the end of their interval, less one", async () => {
  const second = 1_000_000_000n;
  const starts = [
    0n,
    1n,
    15n * second,
    15n * second + 1n,
    3600n * second,
    3600n * second + 1n,
    2n ** 64n - 1n,
  ];
  const request = field(
    1,
    message(
      field(
        2,
        message(
          ...starts.map((start, i) => field(2, span({ trace: id(16, 1), id: i + 1, start, end: start }))),
        ),
      ),
    ),
  );
  const rows = await readRows((await write(batchOf([request]), { version })).data);
  const spans: Row[] = rows[0].rs[0].ss[0].Spans;
  const of = (seconds: number) => spans.map((one) => one[`StartTimeRounded${seconds}`]);
  expect(of(15)).toEqual([0, 0, 0, 1, 239, 240, 1229782938]);
  expect(of(60)).toEqual([0, 0, 0, 0, 59, 60, 307445734]);
  expect(of(300)).toEqual([0, 0, 0, 0, 11, 12, 61489146]);
  expect(of(3600)).toEqual([0, 0, 0, 0, 0, 1, 5124095]);
});

/** A generator of numbers that are the same in every run (mulberry32). */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** What a block must hold of attributes, by the rules of the format. */
function expectedOf(
  scope: DedicatedColumn["scope"],
  attributes: Attributes,
  columns: DedicatedColumn[],
): { own: Record<string, Value[]>; generic: Row[] } {
  const own = new Map<string, Value[]>();
  const generic: Row[] = [];
  const kind = { string: "string", int: "bigint" };
  for (const [key, value] of attributes) {
    const fitting = columns.filter((one) => {
      const list = Array.isArray(value) ? value : [value];
      return one.scope === scope && one.name === key && list.every((v) => typeof v === kind[one.type]);
    });
    const [found] = fitting;
    if (found) {
      const rank = columns.filter((one) => one.scope === scope && one.type === found.type).indexOf(found) + 1;
      const name = `${found.type === "string" ? "String" : "Int"}${String(rank).padStart(2, "0")}`;
      own.set(name, Array.isArray(value) ? value : [value]);
    } else {
      const isMixed = Array.isArray(value) && new Set(value.map((v) => typeof v)).size > 1;
      generic.push([key, isMixed ? null : value]);
    }
  }
  return { own: Object.fromEntries([...own].filter(([, values]) => values.length > 0)), generic };
}

test("columns hold what the rules say, of random attributes and columns", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const below = seeded(seed);
    const names = Array.from({ length: 2 + below(12) }, (_, i) => `k${i}`);
    const scalar = (kind: number): Value =>
      kind === 0 ? `v${below(20)}` : kind === 1 ? BigInt(below(1000)) - 500n : below(2) === 0;
    const value = (): Value => {
      const kind = below(3);
      if (below(3) > 0) return scalar(kind);
      return Array.from({ length: below(5) }, () => scalar(below(12) === 0 ? below(3) : kind));
    };
    const attributes = (most: number): Attributes =>
      Array.from({ length: below(most) }, () => [names[below(names.length)]!, value()]);
    const columns = (["resource", "span", "event"] as const).flatMap((scope) =>
      names
        .filter(() => below(2) === 0)
        .map((name) => {
          const type = below(3) === 0 ? "int" : "string";
          return column(scope, name, type, type === "string" && below(4) === 0 ? ["blob"] : []);
        }),
    );
    const ints = (scope: string) => columns.filter((one) => one.scope === scope && one.type === "int").length;
    if (["resource", "span", "event"].some((scope) => ints(scope) > 5)) continue;
    const most = 1 + below(14);
    const resource = attributes(most);
    const spans = Array.from({ length: 1 + below(60) }, () => ({
      attributes: attributes(most),
      events: Array.from({ length: below(4) }, () => attributes(most)),
    }));
    const found = await written(requestOf(resource, spans), columns, { pageBytesMax: 16 << below(10) });
    expect({ seed, ...found.resource }).toEqual({ seed, ...expectedOf("resource", resource, columns) });
    for (const [i, one] of spans.entries()) {
      expect({ seed, i, ...found.spans[i]! }).toEqual({
        ...{ seed, i, ...expectedOf("span", one.attributes, columns) },
        events: one.events.map((list) => expectedOf("event", list, columns)),
      });
    }
  }
});
