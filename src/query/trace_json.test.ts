import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { messageDepthMax } from "./message_json.ts";
import { peerJson, traceBytes } from "./otlp_peer.ts";
import { traceV1Json, traceV2Json } from "./trace_json.ts";
import { WireError } from "./wire.ts";

const fixtures = new URL("../../../shared/fixtures/tempo-blocks/", import.meta.url).pathname;
const haveFixtures = existsSync(fixtures);
if (!haveFixtures) console.warn("trace_json.test: golden blocks are missing, their cases are skipped");

const text = (bytes: Uint8Array): string => new TextDecoder("utf-8", { fatal: true }).decode(bytes);
const v2 = (trace: Uint8Array): string =>
  text(traceV2Json({ trace, inspectedBytes: 0, partialMessage: null }));

/** JSON of the trace whose only attribute is a resource attribute with this AnyValue. */
function valueJson(value: number[]): string {
  const keyValue = [0x0a, 1, 0x6b, 0x12, value.length, ...value];
  const resource = [0x0a, keyValue.length, ...keyValue];
  const resourceSpans = [0x0a, resource.length, ...resource];
  const json = text(traceV1Json(Uint8Array.from([0x0a, resourceSpans.length, ...resourceSpans])));
  const before = '{"batches":[{"resource":{"attributes":[{"key":"k","value":';
  const after = "}]}}]}";
  expect(json.startsWith(before) && json.endsWith(after)).toBe(true);
  return json.slice(before.length, -after.length);
}

const double = (value: number): number[] => [0x21, ...new Uint8Array(new Float64Array([value]).buffer)];
const string = (...bytes: number[]): number[] => [0x0a, bytes.length, ...bytes];

describe("values", () => {
  test("doubles have Go's shortest form", () => {
    for (const [value, json] of [
      [0, "0"],
      [-0, "-0"],
      [2, "2"],
      [1e20, "100000000000000000000"],
      [1e21, "1e+21"],
      [0.000001, "0.000001"],
      [1e-7, "1e-7"],
      [5e-324, "5e-324"],
      [1.7976931348623157e308, "1.7976931348623157e+308"],
      [Number.NaN, '"NaN"'],
      [Number.POSITIVE_INFINITY, '"Infinity"'],
      [Number.NEGATIVE_INFINITY, '"-Infinity"'],
    ] as const)
      expect(valueJson(double(value))).toBe(`{"doubleValue":${json}}`);
  });

  test("64-bit integers are strings and exact", () => {
    expect(valueJson([0x18, 0])).toBe('{"intValue":"0"}');
    expect(valueJson([0x18, 0x96, 0x01])).toBe('{"intValue":"150"}');
    expect(valueJson([0x18, ...Array(9).fill(0xff), 1])).toBe('{"intValue":"-1"}');
    expect(valueJson([0x18, ...Array(9).fill(0x80), 1])).toBe('{"intValue":"-9223372036854775808"}');
    expect(valueJson([0x18, ...Array(8).fill(0xff), 0x7f])).toBe('{"intValue":"9223372036854775807"}');
    expect(valueJson([0x18, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10])).toBe(
      '{"intValue":"9007199254740993"}',
    );
  });

  test("a value that is set is written even if it is zero, one that is not is an empty object", () => {
    expect(valueJson([0x10, 0])).toBe('{"boolValue":false}');
    expect(valueJson([0x10, 1])).toBe('{"boolValue":true}');
    expect(valueJson(string())).toBe('{"stringValue":""}');
    expect(valueJson([0x3a, 0])).toBe('{"bytesValue":""}');
    expect(valueJson([0x2a, 0])).toBe('{"arrayValue":{}}');
    expect(valueJson([0x32, 0])).toBe('{"kvlistValue":{}}');
    expect(valueJson([])).toBe("{}");
  });

  test("of several alternatives the last one counts", () => {
    expect(valueJson([0x10, 1, 0x18, 5])).toBe('{"intValue":"5"}');
    expect(valueJson([0x18, 5, ...string(0x61)])).toBe('{"stringValue":"a"}');
  });

  test("bytes are base64 with padding", () => {
    expect(valueJson([0x3a, 1, 0xff])).toBe('{"bytesValue":"/w=="}');
    expect(valueJson([0x3a, 2, 0xfb, 0xef])).toBe('{"bytesValue":"++8="}');
    expect(valueJson([0x3a, 3, 1, 2, 3])).toBe('{"bytesValue":"AQID"}');
  });

  test("strings are escaped as Go does", () => {
    const bytes = [...new TextEncoder().encode('"\\\n\t\r\b\f\u0001\u007f/<&>\u2028\u2029é日🚀')];
    expect(valueJson(string(...bytes))).toBe(
      '{"stringValue":"\\"\\\\\\n\\t\\r\\b\\f\\u0001\u007f/\\u003c\\u0026\\u003e\\u2028\\u2029é日🚀"}',
    );
  });

  test("each byte of invalid UTF-8 is one U+FFFD", () => {
    const bad: [number[], number][] = [
      [[0x80], 1],
      [[0xe6, 0x97], 2], // a character cut off
      [[0xc0, 0xaf], 2], // overlong
      [[0xe0, 0x80, 0x80], 3],
      [[0xed, 0xa0, 0x80], 3], // a surrogate
      [[0xf4, 0x90, 0x80, 0x80], 4], // above U+10FFFF
      [[0xf8, 0x88, 0x80, 0x80], 4],
    ];
    for (const [bytes, count] of bad)
      expect(valueJson(string(0x61, ...bytes, 0x62))).toBe(`{"stringValue":"a${"\\ufffd".repeat(count)}b"}`);
    expect(valueJson(string(0xf4, 0x8f, 0xbf, 0xbf))).toBe('{"stringValue":"\u{10ffff}"}');
  });
});

describe("messages", () => {
  test("fields come in the schema's order whatever their order on the wire, lists in one piece", () => {
    // Status 15, events 11 twice around the name 5, kind 6.
    const span = [0x7a, 0, 0x5a, 3, 0x12, 1, 0x61, 0x2a, 1, 0x6e, 0x30, 2, 0x5a, 3, 0x12, 1, 0x62];
    const scopeSpans = [0x12, span.length, ...span];
    const resourceSpans = [0x12, scopeSpans.length, ...scopeSpans];
    expect(v2(Uint8Array.from([0x0a, resourceSpans.length, ...resourceSpans]))).toBe(
      '{"trace":{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"n","kind":"SPAN_KIND_SERVER",' +
        '"events":[{"name":"a"},{"name":"b"}],"status":{}}]}]}]},"metrics":{}}',
    );
  });

  test("unknown enum values are numbers, unknown fields are left out", () => {
    const status = [0x18, ...Array(9).fill(0xff), 1];
    const span = [0x30, 9, 0x7a, status.length, ...status, 0xfa, 0x07, 1, 0x61];
    const scopeSpans = [0x12, span.length, ...span];
    const resourceSpans = [0x12, scopeSpans.length, ...scopeSpans];
    expect(text(traceV1Json(Uint8Array.from([0x0a, resourceSpans.length, ...resourceSpans])))).toBe(
      '{"batches":[{"scopeSpans":[{"spans":[{"kind":9,"status":{"code":-1}}]}]}]}',
    );
  });

  test("times are exact to the nanosecond up to 2^64", () => {
    for (const time of [
      "1",
      "999999999",
      "4294967296",
      "9007199254740993",
      "1768471502000000001",
      "18446744073709551615",
    ]) {
      const trace = traceBytes({
        resourceSpans: [{ scopeSpans: [{ spans: [{ startTimeUnixNano: time }] }] }],
      });
      expect(v2(trace)).toContain(`"startTimeUnixNano":"${time}"`);
    }
  });

  test("the answer carries inspected bytes and says what was cut", () => {
    expect(
      text(traceV2Json({ trace: new Uint8Array(0), inspectedBytes: 31054, partialMessage: 'too "large"' })),
    ).toBe(
      '{"trace":{},"metrics":{"inspectedBytes":"31054"},"status":"PARTIAL","message":"too \\"large\\""}',
    );
    expect(v2(new Uint8Array(0))).toBe('{"trace":{},"metrics":{}}');
  });

  test("values nested too deep lose their content, not the trace", () => {
    const nested = (levels: number): Uint8Array => {
      let value: Buffer = Buffer.from([0x18, 7]);
      const wrap = (tag: number, inside: Buffer): Buffer => {
        const length = [];
        for (let rest = inside.length; ; rest >>>= 7) {
          length.push(rest >= 128 ? (rest & 127) | 128 : rest);
          if (rest < 128) break;
        }
        return Buffer.concat([Buffer.from([tag, ...length]), inside]);
      };
      for (let i = 0; i < levels; i++) value = wrap(0x2a, wrap(0x0a, value));
      return wrap(0x0a, wrap(0x0a, wrap(0x0a, wrap(0x12, value))));
    };
    expect(v2(nested(100))).toContain('{"intValue":"7"}');
    const deep = v2(nested(20_000));
    expect(deep).not.toContain("intValue");
    expect(deep.split("arrayValue").length - 1).toBeLessThanOrEqual(messageDepthMax);
    expect(() => JSON.parse(deep)).not.toThrow();
  });

  test("malformed bytes are a WireError", () => {
    for (const bytes of [
      [0x0a],
      [0x0a, 5, 1],
      [0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f],
      [0x08, 1], // field 1 as a number
      [0x02, 0], // field 0
      [0x0b, 0x0c], // a group
      [0x10, ...Array(11).fill(0x80), 0],
    ])
      expect(() => traceV1Json(Uint8Array.from(bytes))).toThrow(WireError);
  });

  test("random and mutated bytes give JSON or a WireError", () => {
    const seed = Buffer.from(
      traceBytes({
        resourceSpans: [
          {
            resource: {
              attributes: [{ key: "a", value: { arrayValue: { values: [{ intValue: "5" }, {}] } } }],
            },
            scopeSpans: [
              {
                spans: [{ spanId: "AQIDBAUGBwg=", name: "n", events: [{ name: "e" }], status: { code: 2 } }],
              },
            ],
          },
        ],
      }),
    );
    const check = (bytes: Uint8Array): void => {
      let json: string;
      try {
        json = v2(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
        return;
      }
      JSON.parse(json);
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), check), { seed: 1, numRuns: 2000 });
    const mutation = fc.array(fc.tuple(fc.nat(seed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(mutation, (changes) => {
        const bytes = Uint8Array.from(seed);
        for (const [at, value] of changes) bytes[at] = value;
        check(bytes);
      }),
      { seed: 2, numRuns: 3000 },
    );
  });
});

describe.skipIf(!haveFixtures)("golden blocks", () => {
  const folders = haveFixtures ? readdirSync(`${fixtures}expected`) : [];
  for (const version of folders)
    for (const file of readdirSync(`${fixtures}expected/${version}`))
      test(`answers of ${version}/${file} come out as Tempo wrote them`, () => {
        const cases = JSON.parse(
          readFileSync(`${fixtures}expected/${version}/${file}`, "utf8"),
        ) as GoldenCase[];
        const traces = cases.filter((each) => each.name.startsWith("trace-"));
        expect(traces.length).toBeGreaterThan(0);
        for (const { name, body } of traces) {
          const { batches, trace, metrics } = body;
          const bytes = traceBytes(batches === undefined ? trace : { resourceSpans: batches });
          const json = text(
            batches === undefined
              ? traceV2Json({
                  trace: bytes,
                  inspectedBytes: Number(metrics?.inspectedBytes ?? 0),
                  partialMessage: null,
                })
              : traceV1Json(bytes),
          );
          // The recording was parsed and printed again: that undid Go's escapes, which JSON.parse undoes here.
          expect(JSON.stringify(JSON.parse(json)), name).toBe(JSON.stringify(body));
        }
      });

  const inputs = haveFixtures ? readdirSync(`${fixtures}inputs`) : [];
  for (const set of inputs)
    test(`inputs of ${set} read as protobuf-es reads them`, () => {
      for (const file of readdirSync(`${fixtures}inputs/${set}`).filter((name) => name.includes(".pb"))) {
        const content = readFileSync(`${fixtures}inputs/${set}/${file}`);
        const bytes = file.endsWith(".gz") ? gunzipSync(content) : content;
        expect(JSON.parse(v2(bytes)).trace).toEqual(peerJson(bytes) as object);
      }
    });
});

interface GoldenCase {
  name: string;
  body: { batches?: unknown[]; trace?: unknown; metrics?: { inspectedBytes?: string } };
}
