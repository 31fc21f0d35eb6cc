import { expect, test } from "bun:test";
import { parsePrometheusTime, parseTimestamp } from "./timestamp.ts";

test("parseTimestamp() takes every form that Tempo does", () => {
  for (const [text, nanos] of [
    ["1700000000", 1_700_000_000_000_000_000n],
    ["0", 0n],
    ["-5", -5_000_000_000n],
    ["1700000000.5", 1_700_000_000_500_000_000n],
    // To the millisecond.
    ["1700000000.123456", 1_700_000_000_123_000_000n],
    // Ten characters are the longest number of seconds; an exact one of nanoseconds fits into no double.
    ["9999999999", 9_999_999_999_000_000_000n],
    ["17000000001", 17_000_000_001n],
    ["1700000000123456789", 1_700_000_000_123_456_789n],
    ["2023-11-14T22:13:20Z", 1_700_000_000_000_000_000n],
    ["2023-11-14T23:13:20.123456789+01:00", 1_700_000_000_123_456_789n],
    ["2023-11-14t22:13:20.5z", 1_700_000_000_500_000_000n],
  ] as const) {
    expect([text, parseTimestamp(text)]).toEqual([text, nanos]);
  }
});

test("parseTimestamp() refuses what is none", () => {
  for (const text of [
    "",
    "x",
    "1.2.3",
    "1,5",
    "now",
    "2023-11-14",
    "2023-11-14T22:13:20",
    "2023-11-14T25:13:20Z",
    "0x10",
  ]) {
    expect([text, parseTimestamp(text)]).toEqual([text, undefined]);
  }
});

test("parsePrometheusTime() takes any number as seconds", () => {
  expect(parsePrometheusTime("1700000000.25")).toBe(1_700_000_000_250_000_000n);
  expect(parsePrometheusTime("4")).toBe(4_000_000_000n);
  expect(parsePrometheusTime("1.7e9")).toBe(1_700_000_000_000_000_000n);
  expect(parsePrometheusTime("2023-11-14T22:13:20Z")).toBe(1_700_000_000_000_000_000n);
  expect(parsePrometheusTime("1700000000123")).toBe(1_700_000_000_123_000_000_000n);
  expect(parsePrometheusTime("1700000000123456789")).toBeUndefined();
});
