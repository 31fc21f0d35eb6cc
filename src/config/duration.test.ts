import { describe, expect, test } from "bun:test";
import { parseDuration, printDuration } from "./duration.ts";

describe("parseDuration()", () => {
  const cases: [string, number | undefined][] = [
    ["0", 0],
    ["0s", 0],
    ["100ms", 100],
    ["1.5s", 1500],
    [".5m", 30_000],
    ["1h30m", 5_400_000],
    ["336h", 1_209_600_000],
    ["7d", 604_800_000],
    ["1w2d", 777_600_000],
    ["250us", 0.25],
    ["250µs", 0.25],
    ["-2s", -2000],
    ["", undefined],
    ["5", undefined],
    ["5 m", undefined],
    ["5minutes", undefined],
    ["m5", undefined],
    ["-", undefined],
  ];
  for (const [text, ms] of cases) {
    test(`reads "${text}" as ${ms}`, () => expect(parseDuration(text)).toBe(ms));
  }
});

describe("printDuration()", () => {
  const cases: [number, string][] = [
    [0, "0s"],
    [100, "100ms"],
    [1500, "1.5s"],
    [30_000, "30s"],
    [300_000, "5m0s"],
    [5_400_000, "1h30m0s"],
    [1_209_600_000, "336h0m0s"],
    [0.25, "250µs"],
    [0.000_001, "1ns"],
    [-2000, "-2s"],
  ];
  for (const [ms, text] of cases) {
    test(`prints ${ms} as ${text}`, () => {
      expect(printDuration(ms)).toBe(text);
      expect(parseDuration(text)).toBeCloseTo(ms, 9);
    });
  }
});
