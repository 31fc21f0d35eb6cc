import { describe, expect, test } from "bun:test";
import { create, equals, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { ExportTraceServiceRequestSchema } from "../gen/opentelemetry/proto/collector/trace/v1/trace_service_pb.ts";
import type { AnyValue, KeyValue } from "../gen/opentelemetry/proto/common/v1/common_pb.ts";
import { jsonDepthMax, OtlpJsonError, otlpJsonToProtobuf } from "./otlp_json.ts";

const encoder = new TextEncoder();

function transcode(json: string | Uint8Array): Uint8Array {
  const bytes = typeof json === "string" ? encoder.encode(json) : json;
  const output = new Uint8Array(bytes.length);
  return output.subarray(0, otlpJsonToProtobuf(bytes, output));
}

function decode(json: string | Uint8Array) {
  return fromBinary(ExportTraceServiceRequestSchema, transcode(json));
}

function refusal(json: string | Uint8Array): string {
  try {
    transcode(json);
  } catch (error) {
    if (error instanceof OtlpJsonError) return error.message;
    throw error;
  }
  return "no error";
}

/** A request with one span, whose members are given. */
function span(members: string): string {
  return `{"resourceSpans":[{"scopeSpans":[{"spans":[{${members}}]}]}]}`;
}

function decodeSpan(members: string) {
  return decode(span(members)).resourceSpans[0]!.scopeSpans[0]!.spans[0]!;
}

function decodeValue(value: string): AnyValue["value"] {
  return decodeSpan(`"attributes":[{"key":"k","value":${value}}]`).attributes[0]!.value!.value;
}

describe("otlpJsonToProtobuf()", () => {
  test("writes the bytes that a protobuf encoder writes", () => {
    const json = `{
      "resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}], "droppedAttributesCount": 3},
        "scopeSpans": [{
          "scope": {"name": "lib", "version": "1.2"},
          "spans": [{
            "traceId": "0102030405060708090a0b0c0d0e0f10", "spanId": "A1B2C3D4E5F60708", "traceState": "a=b",
            "parentSpanId": "1112131415161718", "name": "GET /", "kind": 2,
            "startTimeUnixNano": "1700000000000000001", "endTimeUnixNano": "1700000000100000002",
            "attributes": [{"key": "n", "value": {"intValue": "-5"}}],
            "events": [{"timeUnixNano": "5", "name": "e", "attributes": [], "droppedAttributesCount": 1}],
            "links": [{"traceId": "ff", "spanId": "00ff", "traceState": "", "flags": 257}],
            "droppedEventsCount": 7, "status": {"code": 2, "message": "no"}, "flags": 256
          }],
          "schemaUrl": "s"
        }],
        "schemaUrl": "r"
      }]
    }`;
    const message = create(ExportTraceServiceRequestSchema, {
      resourceSpans: [
        {
          resource: {
            attributes: [{ key: "service.name", value: { value: { case: "stringValue", value: "shop" } } }],
            droppedAttributesCount: 3,
          },
          scopeSpans: [
            {
              scope: { name: "lib", version: "1.2" },
              spans: [
                {
                  traceId: Uint8Array.from({ length: 16 }, (_, i) => i + 1),
                  spanId: Uint8Array.of(0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6, 7, 8),
                  traceState: "a=b",
                  parentSpanId: Uint8Array.of(0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18),
                  name: "GET /",
                  kind: 2,
                  startTimeUnixNano: 1700000000000000001n,
                  endTimeUnixNano: 1700000000100000002n,
                  attributes: [{ key: "n", value: { value: { case: "intValue", value: -5n } } }],
                  events: [{ timeUnixNano: 5n, name: "e", droppedAttributesCount: 1 }],
                  droppedEventsCount: 7,
                  links: [{ traceId: Uint8Array.of(255), spanId: Uint8Array.of(0, 255), flags: 257 }],
                  status: { code: 2, message: "no" },
                  flags: 256,
                },
              ],
              schemaUrl: "s",
            },
          ],
          schemaUrl: "r",
        },
      ],
    });
    expect(equals(ExportTraceServiceRequestSchema, decode(json), message)).toBe(true);
    expect(transcode(json).length).toBe(toBinary(ExportTraceServiceRequestSchema, message).length);
  });

  test("takes an empty request", () => {
    expect(transcode("{}").length).toBe(0);
    expect(transcode(' \n{ "resourceSpans" : [ ] }\t').length).toBe(0);
    expect(transcode('{"resourceSpans":null}').length).toBe(0);
  });

  test("skips unknown fields of every shape and takes the names of the .proto files", () => {
    const members = `"x":[1,-2.5e3,true,false,null,{"a":{"b":[[]]}},"s\\"\\u00e9"],"n\\u0061me":"not this","start_time_unix_nano":5,"name":"this"`;
    const { name, startTimeUnixNano } = decodeSpan(members);
    expect([name, startTimeUnixNano]).toEqual(["this", 5n]);
  });

  test.each([
    ['{"intValue":5}', 5n],
    ['{"intValue":"5"}', 5n],
    ['{"intValue":0}', 0n],
    ['{"intValue":-0}', 0n],
    ['{"intValue":9007199254740993}', 9007199254740993n],
    ['{"intValue":9223372036854775807}', 9223372036854775807n],
    ['{"intValue":"-9223372036854775808"}', -9223372036854775808n],
    ['{"intValue":-4294967296}', -4294967296n],
    ['{"intValue":5.0}', 5n],
    ['{"intValue":"-1.5e3"}', -1500n],
    ['{"intValue":-9223372036854775808e0}', -9223372036854775808n],
    ['{"doubleValue":1.5}', 1.5],
    ['{"doubleValue":"1e-3"}', 0.001],
    ['{"doubleValue":"NaN"}', Number.NaN],
    ['{"doubleValue":"-Infinity"}', Number.NEGATIVE_INFINITY],
    ['{"doubleValue":0}', 0],
    ['{"boolValue":false}', false],
    ['{"boolValue":true}', true],
    ['{"stringValue":""}', ""],
    ['{"stringValue":"\\u00e9\\n\\/\\\\\\ud83d\\ude00\\ud83d"}', "é\n/\\\u{1f600}\ufffd"],
    ['{"stringValue":"\\ud83d\\u0041"}', "\ufffdA"],
    ['{"bytesValue":"AQID/w=="}', Uint8Array.of(1, 2, 3, 255)],
    ['{"bytesValue":"AQID_w"}', Uint8Array.of(1, 2, 3, 255)],
    ['{"bytesValue":"AQID\\/w=="}', Uint8Array.of(1, 2, 3, 255)],
    ['{"bytesValue":""}', new Uint8Array(0)],
    ['{"string_value":"s"}', "s"],
    ['{"stringValue":"s","intValue":null}', "s"],
  ])("reads the value %s", (json, value) => {
    expect(decodeValue(json).value as unknown).toEqual(value);
  });

  test("reads an empty value and nested ones", () => {
    expect(decodeValue("{}").case).toBeUndefined();
    const nested = decodeValue(
      '{"arrayValue":{"values":[{"kvlistValue":{"values":[{"key":"a","value":{}}]}},{}]}}',
    );
    expect(nested.case).toBe("arrayValue");
    const [list, empty] = (nested.value as unknown as { values: AnyValue[] }).values;
    expect((list!.value.value as unknown as { values: KeyValue[] }).values[0]!.key).toBe("a");
    expect(empty!.value.case).toBeUndefined();
  });

  test("reads enums as numbers and as names", () => {
    expect(decodeSpan('"kind":"SPAN_KIND_CONSUMER","status":{"code":"STATUS_CODE_OK"}')).toMatchObject({
      kind: 5,
      status: { code: 1 },
    });
    expect(decodeSpan('"kind":99').kind as number).toBe(99);
    expect(decodeSpan('"kind":-1').kind as number).toBe(-1);
  });

  test.each([
    ["", "request: a JSON object expected"],
    ["[]", "request: a JSON object expected"],
    ["null", "request: a JSON object expected"],
    ["{bad", "request: a member's name expected"],
    ["{} x", "request: more after the end of the request"],
    ['{"resourceSpans":{}}', "resourceSpans: an array expected"],
    ['{"resourceSpans":[null]}', "resourceSpans[0]: an object expected"],
    ['{"resourceSpans":[{}', "resourceSpans[0]: ',' or ']' expected"],
    ['{"a":01}', "?: a value expected"],
    ['{"a":"\u0001"}', "?: control character in a string"],
    [
      span('"traceId":"0g"'),
      "resourceSpans[0].scopeSpans[0].spans[0].traceId: not an even number of hex digits",
    ],
    [
      span('"spanId":"abc"'),
      "resourceSpans[0].scopeSpans[0].spans[0].spanId: not an even number of hex digits",
    ],
    [span('"name":5'), "resourceSpans[0].scopeSpans[0].spans[0].name: a string expected"],
    [span('"kind":"SERVER"'), 'resourceSpans[0].scopeSpans[0].spans[0].kind: unknown name "SERVER"'],
    [span('"kind":2147483648'), "resourceSpans[0].scopeSpans[0].spans[0].kind: out of range for int32"],
    [span('"flags":-1'), "resourceSpans[0].scopeSpans[0].spans[0].flags: out of range for fixed32"],
    [span('"flags":1.5'), "resourceSpans[0].scopeSpans[0].spans[0].flags: an integer expected"],
    [
      span('"startTimeUnixNano":"18446744073709551616"'),
      "resourceSpans[0].scopeSpans[0].spans[0].startTimeUnixNano: out of range for fixed64",
    ],
    [
      span('"attributes":[{},{"key":"k","value":{"intValue":9223372036854775808}}]'),
      "resourceSpans[0].scopeSpans[0].spans[0].attributes[1].value.intValue: out of range for int64",
    ],
    [
      span('"attributes":[{"value":{"bytesValue":"A"}}]'),
      "resourceSpans[0].scopeSpans[0].spans[0].attributes[0].value.bytesValue: not base64",
    ],
    [
      span('"attributes":[{"value":{"boolValue":"true"}}]'),
      "resourceSpans[0].scopeSpans[0].spans[0].attributes[0].value.boolValue: true or false expected",
    ],
  ])("refuses %s", (json, message) => {
    expect(refusal(json).replace(/ \(at byte \d+\)$/, "")).toBe(message);
  });

  test("says where a request is wrong", () => {
    expect(refusal("{} x")).toEndWith("(at byte 3)");
    expect(refusal('{"resourceSpans":[{')).toEndWith("(at byte 19)");
    expect(refusal('{"resourceSpans":7}')).toEndWith("(at byte 17)");
  });

  test("takes the largest fixed64", () => {
    expect(decodeSpan('"endTimeUnixNano":18446744073709551615').endTimeUnixNano).toBe(2n ** 64n - 1n);
  });

  test("refuses nesting beyond its limit, in what it knows and in what it skips", () => {
    const deep = (open: string, close: string, n: number) => open.repeat(n) + close.repeat(n);
    expect(decode(`{"x":${deep("[", "]", jsonDepthMax - 1)}}`).resourceSpans).toEqual([]);
    expect(refusal(`{"x":${deep("[", "]", jsonDepthMax)}}`)).toInclude("nested deeper than 128");
    const value = deep('{"arrayValue":{"values":[', "]}}", 50).replace("[]", "[{}]");
    expect(refusal(span(`"attributes":[{"value":${value}}]`))).toInclude("nested deeper than 128");
    expect(refusal("[".repeat(1 << 20))).toInclude("JSON object expected");
    expect(refusal(`{"x":${"[".repeat(1 << 20)}`)).toInclude("nested deeper than 128");
  });

  test("replaces what is not UTF-8", () => {
    const json = Buffer.from(span('"name":"a\xff"'), "latin1");
    expect(decode(json).resourceSpans[0]!.scopeSpans[0]!.spans[0]!.name).toBe("a\ufffd");
  });
});

describe("otlpJsonToProtobuf(), fuzzed", () => {
  const random = mulberry32(20_240_501);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  const times = <T>(max: number, make: () => T): T[] =>
    Array.from({ length: Math.floor(random() * (max + 1)) }, make);

  test("gives what was written, in any spelling", () => {
    for (let round = 0; round < 300; round++) {
      const message = randomRequest();
      const json = spell(message);
      // As bytes, since NaN is not equal to itself.
      const decoded = toBinary(ExportTraceServiceRequestSchema, decode(json));
      const expected = toBinary(
        ExportTraceServiceRequestSchema,
        create(ExportTraceServiceRequestSchema, message),
      );
      expect(Buffer.compare(decoded, expected)).toBe(0);
    }
  });

  test("refuses broken requests or writes whole messages, and takes nothing that is no JSON", () => {
    let taken = 0;
    for (let round = 0; round < 2000; round++) {
      const json = Buffer.from(spell(randomRequest(2)));
      for (let n = Math.ceil(random() * 3); n > 0; n--) {
        const at = Math.floor(random() * json.length);
        json[at] = pick([json[Math.floor(random() * json.length)]!, Math.floor(random() * 256)]);
      }
      const cut = random() < 0.2 ? json.subarray(0, Math.floor(random() * json.length)) : json;
      const message = refusal(cut);
      if (message !== "no error") continue;
      taken++;
      decode(cut);
      JSON.parse(new TextDecoder().decode(cut));
    }
    expect(taken).toBeGreaterThan(100);
  });

  type Request = MessageInitShape<typeof ExportTraceServiceRequestSchema>;

  function randomRequest(size = 4): Request {
    const bytes = (n: number) => Uint8Array.from({ length: n }, () => Math.floor(random() * 256));
    const u64 = () =>
      BigInt.asUintN(
        64,
        (BigInt(Math.floor(random() * 2 ** 32)) << 32n) | BigInt(Math.floor(random() * 2 ** 32)),
      );
    const u32 = () => pick([0, 1, 127, 128, 2 ** 32 - 1, Math.floor(random() * 2 ** 32)]);
    const text = () =>
      times(pick([3, 20, 200]), () =>
        pick(["a", "Z", '"', "\\", "/", "\n", "\u0001", "é", "€", "\u{1f600}", " "]),
      ).join("");
    const value = (depth: number): MessageInitShape<typeof anyValueDesc> => {
      const kind = Math.floor(random() * (depth > 0 ? 8 : 6));
      if (kind === 0) return { value: { case: "stringValue", value: text() } };
      if (kind === 1) return { value: { case: "boolValue", value: random() < 0.5 } };
      if (kind === 2)
        return {
          value: { case: "intValue", value: BigInt.asIntN(64, u64() >> BigInt(Math.floor(random() * 64))) },
        };
      if (kind === 3)
        return {
          value: {
            case: "doubleValue",
            value: pick([0, -1.5, 1e300, Number.NaN, Number.NEGATIVE_INFINITY, random()]),
          },
        };
      if (kind === 4) return { value: { case: "bytesValue", value: bytes(Math.floor(random() * 10)) } };
      if (kind === 5) return {};
      if (kind === 6)
        return { value: { case: "arrayValue", value: { values: times(3, () => value(depth - 1)) } } };
      return {
        value: {
          case: "kvlistValue",
          value: { values: times(3, () => ({ key: text(), value: value(depth - 1) })) },
        },
      };
    };
    const attributes = () => times(size, () => ({ key: text(), value: value(3) }));
    return {
      resourceSpans: times(2, () => ({
        resource: { attributes: attributes(), droppedAttributesCount: u32() },
        scopeSpans: times(2, () => ({
          scope: { name: text(), version: text(), attributes: attributes() },
          spans: times(size, () => ({
            traceId: bytes(16),
            spanId: bytes(8),
            parentSpanId: bytes(pick([0, 8])),
            traceState: text(),
            name: text(),
            kind: pick([0, 1, 2, 3, 4, 5]),
            startTimeUnixNano: u64(),
            endTimeUnixNano: u64(),
            attributes: attributes(),
            droppedAttributesCount: u32(),
            events: times(2, () => ({ timeUnixNano: u64(), name: text(), attributes: attributes() })),
            links: times(2, () => ({
              traceId: bytes(16),
              spanId: bytes(8),
              flags: u32(),
              attributes: attributes(),
            })),
            status: { code: pick([0, 1, 2]), message: text() },
            flags: u32(),
          })),
        })),
      })),
    };
  }

  /** OTLP/JSON of a message, with the choices that a writer has made at random. */
  function spell(node: unknown, name = ""): string {
    const space = () => pick(["", "", "", " ", "\n\t"]);
    if (node instanceof Uint8Array) {
      if (name !== "bytesValue")
        return `"${pick([Buffer.from(node).toString("hex"), Buffer.from(node).toString("hex").toUpperCase()])}"`;
      return `"${Buffer.from(node).toString(pick(["base64", "base64url"]))}"`;
    }
    if (typeof node === "string") {
      return random() < 0.5
        ? JSON.stringify(node)
        : JSON.stringify(node).replace(
            /[^\x20-\x7e]/g,
            (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
          );
    }
    if (typeof node === "bigint") return pick([`"${node}"`, `${node}`]);
    if (typeof node === "number") {
      if (name === "kind")
        return pick([
          String(node),
          `"${["SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"][node]}"`,
        ]);
      if (name === "code") return String(node);
      return Number.isFinite(node) ? pick([String(node), `"${node}"`]) : `"${node}"`;
    }
    if (typeof node === "boolean") return String(node);
    if (Array.isArray(node))
      return `[${space()}${node.map((each) => spell(each, name)).join(`${space()},${space()}`)}${space()}]`;
    const members: string[] = [];
    const object = node as Record<string, unknown>;
    for (const [key, child] of Object.entries(object)) {
      if (name === "value" || name === "values") {
        const one = child as { case?: string; value: unknown };
        if (key === "value" && one.case !== undefined) {
          members.push(`"${one.case}"${space()}:${space()}${spell(one.value, one.case)}`);
          continue;
        }
      }
      const spelled = random() < 0.2 ? key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`) : key;
      members.push(`"${spelled}"${space()}:${space()}${spell(child, key)}`);
      if (random() < 0.05)
        members.push(`"unknown${members.length}":${pick(["null", "[1,{}]", '"x"', "-0.5E+7"])}`);
    }
    return `{${space()}${members.join(`${space()},${space()}`)}${space()}}`;
  }
});

declare const anyValueDesc: typeof import("../gen/opentelemetry/proto/common/v1/common_pb.ts").AnyValueSchema;

function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
