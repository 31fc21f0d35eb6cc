import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parse, print, printAttribute, printField, printLiteral, rewrite } from "./index.ts";
import { fieldExpression, query } from "./query_arbitrary.ts";
import { unplaced } from "./tree_fixture.ts";

describe("print()", () => {
  test("prints what parses to an equal tree, and prints that the same", () => {
    fc.assert(
      fc.property(query, (tree) => {
        const text = print(tree);
        const again = parse(text);
        expect(unplaced(again)).toEqual(unplaced(tree));
        expect(print(again)).toBe(text);
      }),
      { seed: 17, numRuns: 600 },
    );
  });

  test("prints rewritten expressions so that they mean the same", () => {
    fc.assert(
      fc.property(fieldExpression, (expression) => {
        const tree = parse(`{ ${printField(expression)} }`);
        const once = rewrite(tree, { keepLists: true });
        expect(unplaced(rewrite(parse(print(once)), { keepLists: true }))).toEqual(unplaced(once));
      }),
      { seed: 17, numRuns: 600 },
    );
  });

  test("uses canonical names and quotes what could not stand alone", () => {
    const at = { offset: 0, line: 1, column: 1 };
    const attribute = { kind: "attribute", scope: "span", parent: false, position: at } as const;
    expect(printAttribute({ ...attribute, name: "foo bar" })).toBe('span."foo bar"');
    expect(printAttribute({ ...attribute, name: "a-b/c" })).toBe("span.a-b/c");
    expect(printAttribute({ ...attribute, scope: "none", name: "1a" })).toBe('."1a"');
    expect(printAttribute({ ...attribute, scope: "none", parent: true, name: "span.a" })).toBe(
      'parent."span.a"',
    );
    expect(printLiteral({ kind: "literal", type: "float", value: 2, position: at })).toBe("2.0");
    expect(printLiteral({ kind: "literal", type: "string", value: 'a`"\n', position: at })).toBe(
      '"a`\\"\\n"',
    );
  });
});
