import { expect, test } from "bun:test";
import { optionsHelp, parseOptions, wholeNumber } from "./options.ts";

const table = {
  limit: { value: "N", help: "how many" },
  json: { help: "raw" },
  help: { help: "this" },
} as const;

test("parseOptions() takes options between arguments, with one dash or two, = or a space", () => {
  for (const argv of [
    ["-limit", "5", "{ a = b }", "-json"],
    ["{ a = b }", "--json", "--limit=5"],
    ["-limit=7", "-limit=5", "-json", "--", "{ a = b }"],
  ]) {
    expect(parseOptions(argv, table)).toEqual({ values: { limit: "5", json: "true" }, rest: ["{ a = b }"] });
  }
  expect(parseOptions(["-h"], table).values).toEqual({ help: "true" });
  expect(parseOptions(["--", "-json"], table)).toEqual({ values: {}, rest: ["-json"] });
  expect(parseOptions(["-limit="], table).values).toEqual({ limit: "" });
});

test("parseOptions() refuses what is not of the table", () => {
  const cases: [string[], string][] = [
    [["-limt=5"], "-limt: unknown option, did you mean -limit?"],
    [["-toString"], "-toString: unknown option, see -help"],
    [["-limit"], "-limit: expected N"],
    [["-json=yes"], "-json takes no value"],
  ];
  for (const [argv, message] of cases) expect(() => parseOptions(argv, table)).toThrow(message);
});

test("wholeNumber() takes digits only", () => {
  expect(wholeNumber("limit", "0")).toBe(0);
  expect(wholeNumber("limit", "500")).toBe(500);
  for (const text of ["", "-1", "1.5", "ten", "12345678901"]) {
    expect(() => wholeNumber("limit", text)).toThrow(`-limit: expected a whole number, found "${text}"`);
  }
});

test("optionsHelp() is a line for each", () => {
  expect(optionsHelp({ limit: table.limit, json: table.json })).toBe(
    "  -limit=N                how many\n  -json                   raw\n",
  );
});
