import { expect, test } from "bun:test";
import { attribute, field, fixed64, id, message, span, text, varintField } from "../batch/wire_fixture.ts";
import { batchOf, type Row, readRows, write } from "./encode_fixture.ts";

/** A generator of numbers that are the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface AttributeModel {
  Key: string;
  IsArray: boolean;
  Value: string[];
  ValueInt: bigint[];
  ValueBool: boolean[];
}

interface SpanModel {
  key: number;
  start: bigint;
  duration: bigint;
  kind: bigint;
  name: string;
  url: string | null;
  message: string;
  attributes: AttributeModel[];
  events: { time: bigint; name: string; attributes: AttributeModel[] }[];
}

const mask = (1n << 64n) - 1n;

/** A batch of random shape, as OTLP and as what its columns must say. */
function randomSpans(seed: number): { request: Uint8Array; models: Map<string, SpanModel[]> } {
  const random = seeded(seed);
  const below = (n: number) => Math.floor(random() * n);
  const bits = () => {
    const width = BigInt(below(65));
    return ((BigInt(below(2 ** 32)) << 32n) | BigInt(below(2 ** 32))) & ((1n << width) - 1n);
  };
  const words = 1 + below(3) * below(900);
  const word = () => "w".repeat(below(random() < 0.02 ? 400 : 12)) + below(words);
  const attributes = (most: number): { model: AttributeModel; wire: Uint8Array }[] =>
    Array.from({ length: below(most) }, () => {
      const model: AttributeModel = {
        Key: `k${below(40)}`,
        IsArray: false,
        Value: [],
        ValueInt: [],
        ValueBool: [],
      };
      const one = (type: number): Uint8Array => {
        if (type === 0) {
          model.Value.push(word());
          return text(1, model.Value.at(-1)!);
        }
        if (type === 1) {
          model.ValueInt.push(BigInt.asIntN(64, bits()));
          return varintField(3, model.ValueInt.at(-1)! & mask);
        }
        model.ValueBool.push(random() < 0.5);
        return varintField(2, model.ValueBool.at(-1)! ? 1n : 0n);
      };
      const type = below(3);
      if (random() > 0.05) return { model, wire: attribute(model.Key, one(type)) };
      model.IsArray = true;
      const elements = Array.from({ length: below(5) }, () => field(1, one(type)));
      return { model, wire: attribute(model.Key, field(5, message(...elements))) };
    });
  const wide = random() < 0.5;
  const models = new Map<string, SpanModel[]>();
  const traces = 1 + below(60);
  const spans: Uint8Array[] = [];
  for (let i = 1; i <= 1 + below(900); i++) {
    const trace = 1 + below(traces);
    const own = attributes(wide ? 12 : 2);
    const events = Array.from({ length: random() < 0.2 ? below(4) : 0 }, () => ({
      time: bits(),
      name: word(),
      attributes: attributes(4),
    }));
    const model: SpanModel = {
      key: i,
      start: wide ? bits() : 1_700_000_000_000_000_000n + BigInt(below(1e9)),
      duration: wide ? bits() : BigInt(below(1e6)),
      kind: BigInt(below(random() < 0.1 ? 2 ** 31 : 6)),
      name: word(),
      url: random() < 0.3 ? word() : null,
      message: random() < 0.1 ? word() : "",
      attributes: own.map((attr) => attr.model),
      events: events.map(({ time, name, attributes }) => ({
        time,
        name,
        attributes: attributes.map((a) => a.model),
      })),
    };
    const wire = span({
      trace: id(16, trace),
      id: i,
      name: model.name,
      start: model.start,
      end: (model.start + model.duration) & mask,
      fields: [
        varintField(6, model.kind),
        ...own.map((attr) => field(9, attr.wire)),
        ...(model.url === null ? [] : [field(9, attribute("http.url", text(1, model.url)))]),
        ...events.map((event) =>
          field(
            11,
            message(
              fixed64(1, event.time),
              text(2, event.name),
              ...event.attributes.map((a) => field(3, a.wire)),
            ),
          ),
        ),
        field(15, text(2, model.message)),
      ],
    });
    spans.push(wire);
    const text16 = trace.toString(16);
    models.set(text16, [...(models.get(text16) ?? []), model]);
  }
  const resource = message(field(1, attribute("service.name", text(1, "svc"))));
  return {
    request: field(1, message(field(1, resource), field(2, message(...spans.map((s) => field(2, s)))))),
    models,
  };
}

/** hyparquet has null for a bare list without elements. */
function attributesOf(list: Row[] | null): AttributeModel[] {
  return (list ?? []).map(({ Key, IsArray, Value, ValueInt, ValueBool }) => ({
    Key,
    IsArray,
    Value: Value ?? [],
    ValueInt: ValueInt ?? [],
    ValueBool: ValueBool ?? [],
  }));
}

/** http.url is the sixth string of the default columns that is an attribute of spans. */
const urlOf = {
  vParquet4: (span: Row) => span.HttpUrl as string | null,
  vParquet5: (span: Row) => (span.DedicatedAttributes.String06?.[0] ?? null) as string | null,
};

test.each(["vParquet4", "vParquet5"] as const)(
  "what writeBlock() wrote of random spans as %s reads back as it was",
  async (version) => {
    const until = performance.now() + 3000;
    for (let seed = 1; seed <= 60 && performance.now() < until; seed++) {
      const { request, models } = randomSpans(seed);
      const random = seeded(-seed);
      const { data } = await write(batchOf([request]), {
        version,
        pageBytesMax: 64 << Math.floor(random() * 12),
        rowGroupBytesMax: 1000 * 2 ** Math.floor(random() * 12),
        zstdLevel: 1 + Math.floor(random() * 5),
      });
      const rows = await readRows(data);
      const found = rows.map((row) => [
        row.TraceIDText,
        row.rs.flatMap(({ ss }: Row) =>
          ss.flatMap(({ Spans }: Row) =>
            Spans.map((s: Row): SpanModel => {
              const start = BigInt.asUintN(64, s.StartTimeUnixNano);
              return {
                key: new DataView(s.SpanID.slice().buffer).getUint32(4),
                start,
                duration: BigInt.asUintN(64, s.DurationNano),
                kind: s.Kind,
                name: s.Name,
                url: urlOf[version](s),
                message: s.StatusMessage,
                attributes: attributesOf(s.Attrs),
                events: (s.Events ?? []).map((event: Row) => ({
                  time: (start + BigInt.asUintN(64, event.TimeSinceStartNano)) & mask,
                  name: event.Name,
                  attributes: attributesOf(event.Attrs),
                })),
              };
            }),
          ),
        ),
      ]);
      expect({ seed, found: Bun.deepEquals(new Map(found as [string, SpanModel[]][]), models) }).toEqual({
        seed,
        found: true,
      });
      const ids = rows.map((row) => Number.parseInt(row.TraceIDText, 16));
      expect(ids).toEqual([...ids].sort((a, b) => a - b));
    }
  },
);
