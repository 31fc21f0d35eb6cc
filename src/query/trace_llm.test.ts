import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { sourceOf, traceBytes } from "./otlp_peer.ts";
import { traceLlmJson } from "./trace_llm.ts";
import { WireError } from "./wire.ts";

const llm = (trace: Uint8Array, inspectedBytes = 0, partialMessage: string | null = null): string =>
  new TextDecoder().decode(traceLlmJson({ trace, inspectedBytes, partialMessage }));
const base64 = (hex: string): string => Buffer.from(hex, "hex").toString("base64");
const attribute = (key: string, value: unknown) => ({ key, value });

describe("traceLlmJson()", () => {
  test("flattens attributes and shows ids in hex", () => {
    const trace = traceBytes({
      resourceSpans: [
        {
          resource: {
            attributes: [
              attribute("service.name", { stringValue: "legacy" }),
              attribute("k8s.pod", { stringValue: "p<1>" }),
            ],
          },
          scopeSpans: [
            {
              scope: { name: "lib", version: "2" },
              spans: [
                {
                  traceId: base64("0000000000000000463ac35c9f6413ad"),
                  spanId: base64("1e9a000000000002"),
                  parentSpanId: base64("1e9a000000000001"),
                  name: "child",
                  kind: "SPAN_KIND_CLIENT",
                  startTimeUnixNano: "1768471502200000000",
                  endTimeUnixNano: "1768471502300500000",
                  attributes: [
                    attribute("n", { intValue: "9007199254740993" }),
                    attribute("min", { intValue: "-9223372036854775808" }),
                    attribute("d", { doubleValue: 1.5 }),
                    attribute("nan", { doubleValue: "NaN" }),
                    attribute("b", { boolValue: false }),
                    attribute("raw", { bytesValue: base64("00ff") }),
                    attribute("none", {}),
                    attribute("list", {
                      arrayValue: { values: [{ stringValue: "x" }, { intValue: "1" }, {}] },
                    }),
                    attribute("map", { kvlistValue: { values: [attribute("k", { arrayValue: {} })] } }),
                    attribute("twice", { stringValue: "first" }),
                    attribute("twice", { stringValue: "second" }),
                  ],
                  events: [
                    { timeUnixNano: "5", name: "e", attributes: [attribute("a", { boolValue: true })] },
                  ],
                  links: [{ traceId: base64("aa"), spanId: base64("bb") }],
                  status: { code: "STATUS_CODE_ERROR", message: "no" },
                },
              ],
            },
          ],
        },
      ],
    });
    expect(llm(trace, 12)).toBe(
      '{"trace":{"traceId":"0000000000000000463ac35c9f6413ad","services":[{"serviceName":"legacy",' +
        '"resource":{"k8s.pod":"p\\u003c1\\u003e"},"scopes":[{"name":"lib","version":"2","spans":[' +
        '{"spanId":"1e9a000000000002","name":"child","parentSpanId":"1e9a000000000001","kind":"SPAN_KIND_CLIENT",' +
        '"startTimeUnixNano":"1768471502200000000","endTimeUnixNano":"1768471502300500000","durationMs":100.5,' +
        '"attributes":{"n":9007199254740993,"min":-9223372036854775808,"d":1.5,"nan":"NaN","b":false,"raw":"00ff",' +
        '"none":null,"list":["x",1,null],"map":{"k":[]},"twice":"second"},' +
        '"events":[{"name":"e","timeUnixNano":"5","attributes":{"a":true}}],' +
        '"links":[{"traceId":"aa","spanId":"bb","attributes":{}}],' +
        '"status":{"code":"STATUS_CODE_ERROR","message":"no"}}]}]}]},"metrics":{"inspectedBytes":12}}',
    );
  });

  test("leaves out what is empty, but not status and attributes", () => {
    const trace = traceBytes({
      resourceSpans: [
        { scopeSpans: [{ spans: [{ traceId: base64("01"), spanId: base64("02"), kind: 9 }] }] },
      ],
    });
    expect(llm(trace)).toBe(
      '{"trace":{"traceId":"01","services":[{"serviceName":"","resource":{},"scopes":[{"spans":[{"spanId":"02","kind":9,' +
        '"startTimeUnixNano":"0","endTimeUnixNano":"0","durationMs":0,"attributes":{},' +
        '"status":{"code":"STATUS_CODE_UNSET","message":""}}]}]}]},"metrics":{"inspectedBytes":0}}',
    );
  });

  test("an empty trace is an empty object", () => {
    expect(llm(new Uint8Array(0), 5)).toBe("{}");
  });

  test("a service name that is no string stays an attribute", () => {
    const trace = traceBytes({
      resourceSpans: [
        {
          resource: { attributes: [attribute("service.name", { intValue: "7" })] },
          scopeSpans: [{ spans: [{ traceId: base64("01") }] }],
        },
      ],
    });
    expect(llm(trace)).toContain('"serviceName":"","resource":{"service.name":7}');
  });

  test("says that a trace was cut", () => {
    expect(llm(sourceOf({ a: [{ id: "0000000000000001" }] }), 0, "cut")).toEndWith(
      '"metrics":{"inspectedBytes":0},"status":"PARTIAL","message":"cut"}',
    );
  });

  test("mutated bytes give JSON or a WireError", () => {
    const seed = sourceOf({ a: [{ id: "0000000000000001", name: "n", start: 5 }] });
    const change = fc.array(fc.tuple(fc.nat(seed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(change, (changes) => {
        const bytes = Uint8Array.from(seed);
        for (const [at, value] of changes) bytes[at] = value;
        let json: string;
        try {
          json = llm(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
          return;
        }
        JSON.parse(json);
      }),
      { seed: 6, numRuns: 2000 },
    );
  });
});
