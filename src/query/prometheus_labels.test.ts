import { expect, test } from "bun:test";
import { seriesOf } from "./metrics_queries_fixture.ts";
import { labelNames, labelText, numberText } from "./prometheus_labels.ts";

const namesOf = (...keys: string[]) =>
  Object.fromEntries(labelNames(keys.map((key) => seriesOf({ [key]: "x" }, [1]))));

test("labelNames() has only letters, digits and underscores", () => {
  expect(
    namesOf("resource.service.name", "event:name", 'span."a b"', ".é", "p", "__bucket", "__name__"),
  ).toEqual({
    "resource.service.name": "resource_service_name",
    "event:name": "event_name",
    'span."a b"': "span__a_b_",
    ".é": "__",
    p: "p",
    __bucket: "__bucket",
    __name__: "__name__",
  });
  expect(namesOf("5xx", "")).toEqual({ "5xx": "_5xx", "": "_" });
});

test("labelNames() tells apart what would be the same, whatever series comes first", () => {
  const names = { "span.a.b": "span_a_b", "span.a_b": "span_a_b_2", "span.a_b_2": "span_a_b_2_2" };
  expect(namesOf("span.a.b", "span.a_b", "span.a_b_2")).toEqual(names);
  expect(namesOf("span.a_b_2", "span.a_b", "span.a.b")).toEqual(names);
  // Only what is counted is __name__.
  expect(namesOf("._name__", "__name__")).toEqual({ "._name__": "__name___2", __name__: "__name__" });
});

test("values are texts", () => {
  const text = (value: Parameters<typeof labelText>[0]["value"]) => labelText({ key: "k", value });
  expect(text({ type: "string", value: "a" })).toBe("a");
  expect(text({ type: "int", value: -9_007_199_254_740_993n })).toBe("-9007199254740993");
  expect(text({ type: "double", value: 0.001048576 })).toBe("0.001048576");
  expect(text({ type: "bool", value: false })).toBe("false");
  expect([1.5, 1e21, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(numberText)).toEqual(
    ["1.5", "1e+21", "NaN", "+Inf", "-Inf"],
  );
});
