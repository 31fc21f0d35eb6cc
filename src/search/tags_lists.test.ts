import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  cutLists,
  inOrder,
  partOf,
  sortTexts,
  type TagBounds,
  type TagLists,
  TagListsJoin,
} from "./tags_lists.ts";

const all = Number.POSITIVE_INFINITY;
const bounds = (over: Partial<TagBounds> = {}): TagBounds => ({
  perKind: all,
  total: all,
  bytes: all,
  ...over,
});
type Kind = "a" | "b";

describe("sortTexts()", () => {
  test("goes by the bytes of UTF-8, in which characters of two UTF-16 units come last", () => {
    expect(sortTexts(["\u{1f600}", "\uff5e", "z", "é", ""])).toEqual(["", "z", "é", "\uff5e", "\u{1f600}"]);
  });
});

describe("inOrder()", () => {
  test("merges the kinds, equal texts by the name of their kind", () => {
    const lists: TagLists<Kind> = { b: ["1", "3"], a: ["1", "2"] };
    expect([...inOrder(lists)]).toEqual([
      ["a", "1"],
      ["b", "1"],
      ["a", "2"],
      ["b", "3"],
    ]);
  });
});

const lists: TagLists<Kind> = { a: ["aa", "c", "d"], b: ["bb", "e"] };

describe("cutLists()", () => {
  test("leaves alone what fits", () => {
    expect(cutLists(lists, bounds({ perKind: 3, total: 5, bytes: 7 }))).toEqual(lists);
  });

  test("keeps the first of each kind", () => {
    expect(cutLists(lists, bounds({ perKind: 1 }))).toEqual({ a: ["aa"], b: ["bb"] });
  });

  test("keeps the first of all kinds", () => {
    expect(cutLists(lists, bounds({ total: 2 }))).toEqual({ a: ["aa"], b: ["bb"] });
    expect(cutLists(lists, bounds({ total: 3 }))).toEqual({ a: ["aa", "c"], b: ["bb"] });
  });

  test("stops where the bytes are used up, and leaves out kinds of which nothing stays", () => {
    expect(cutLists(lists, bounds({ bytes: 4 }))).toEqual({ a: ["aa"], b: ["bb"] });
    expect(cutLists(lists, bounds({ bytes: 3 }))).toEqual({ a: ["aa"] });
    expect(cutLists(lists, bounds({ bytes: 1 }))).toEqual({});
  });

  test("counts the bytes of UTF-8", () => {
    expect(cutLists<Kind>({ a: ["é", "ü"] }, bounds({ bytes: 3 }))).toEqual({ a: ["é"] });
  });
});

describe("partOf()", () => {
  test("keeps of each kind one text more than fits", () => {
    expect(partOf(lists, bounds({ perKind: 1 }))).toEqual({ a: ["aa", "c"], b: ["bb", "e"] });
    expect(partOf(lists, bounds({ total: 2 }))).toEqual(lists);
    expect(partOf(lists, bounds({ bytes: 2 }))).toEqual({ a: ["aa", "c"], b: ["bb", "e"] });
    expect(partOf(lists, bounds({ bytes: 1 }))).toEqual({ a: ["aa"], b: ["bb"] });
  });
});

describe("TagListsJoin", () => {
  const text = fc.constantFrom("", "a", "b", "bb", "bbbb", "c", "d", "é", "\uff5e", "\u{1f600}");
  const lists = fc.record({ a: fc.uniqueArray(text), b: fc.uniqueArray(text) }).map(
    ({ a, b }): TagLists<Kind> => ({
      ...(a.length > 0 ? { a: sortTexts(a) } : {}),
      ...(b.length > 0 ? { b: sortTexts(b) } : {}),
    }),
  );
  const some = fc.oneof(fc.constant(all), fc.integer({ min: 1, max: 8 }));

  test("gives the same however the data is divided", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(lists, { maxLength: 4 }), { maxLength: 4 }),
        fc.record({ perKind: some, total: some, bytes: some }),
        (groups, limits) => {
          const whole = new TagListsJoin<Kind>(bounds());
          for (const group of groups) for (const part of group) whole.add(part);
          const joined = new TagListsJoin<Kind>(limits);
          for (const group of groups) {
            const between = new TagListsJoin<Kind>(limits);
            for (const part of group) between.add(partOf(part, limits));
            joined.add(between.part());
          }
          expect(joined.whole()).toEqual(cutLists(whole.whole(), limits));
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("holds a bounded number of texts, however many parts there are", () => {
    const join = new TagListsJoin<Kind>(bounds({ perKind: 3 }));
    for (let part = 0; part < 30; part++) {
      const texts = Array.from({ length: 10_000 }, (_, i) => `${part % 3}${i}`);
      join.add({ a: sortTexts(texts) });
    }
    expect(join.whole()).toEqual({ a: ["00", "01", "010"] });
  });
});
