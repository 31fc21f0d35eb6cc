// Tempo's verdict on each recorded query is ours, and what it accepts survives printing.

import { describe, expect, test } from "bun:test";
import { readParseCases } from "./corpus_fixture.ts";
import { parse, print, rewrite, TraceQLError, validate } from "./index.ts";
import { unplaced } from "./tree_fixture.ts";

const cases = readParseCases();

function verdict(query: string): "valid" | "parse" | "validate" {
  // The search endpoint takes no query for every span; parse does not.
  try {
    validate(parse(query));
    return "valid";
  } catch (error) {
    if (error instanceof TraceQLError && error.code !== "limit") return error.code;
    throw error;
  }
}

describe.skipIf(cases === null)("recorded queries", () => {
  const all = cases ?? [];

  test("are accepted and refused as by Tempo", () => {
    const wrong = all.filter(({ query, valid, stage }) => verdict(query) !== (valid ? "valid" : stage));
    expect(
      wrong.map(({ query, valid, stage, note }) => ({ query, valid, stage, note, found: verdict(query) })),
    ).toEqual([]);
    expect(all.length).toBeGreaterThan(1000);
  });

  test("are metrics queries where the metrics endpoint takes them", () => {
    for (const { query, valid, api } of all) {
      if (valid)
        expect({ query, metrics: parse(query).metrics !== null }).toEqual({
          query,
          metrics: api === "metrics",
        });
    }
  });

  test("parse to the same tree after printing", () => {
    for (const { query, stage } of all) {
      if (stage === "parse") continue;
      let tree: ReturnType<typeof parse>;
      try {
        tree = parse(query);
      } catch {
        continue;
      }
      const text = print(tree);
      const again = parse(text);
      expect({ query, tree: unplaced(again) }).toEqual({ query, tree: unplaced(tree) });
      expect(print(again)).toBe(text);
    }
  });

  test("stay valid when rewritten, and rewriting twice changes nothing more", () => {
    for (const { query, valid } of all) {
      if (!valid) continue;
      const once = rewrite(parse(query));
      validate(once);
      expect({ query, tree: unplaced(rewrite(once)) }).toEqual({ query, tree: unplaced(once) });
    }
  });
});
