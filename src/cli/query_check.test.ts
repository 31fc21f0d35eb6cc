import { expect, test } from "bun:test";
import { problemOf, withPlace } from "./query_check.ts";

test("problemOf() shows the place of a mistake", () => {
  expect(problemOf("{ status = error } | count() > 2")).toBeNull();
  expect(problemOf("{ status = eror }")).toBe(
    'parse error at line 1, col 12: unknown identifier: eror, expecting a value, an attribute, an intrinsic, "(", "-" or "!"\n' +
      "  { status = eror }\n" +
      "             ^",
  );
});

test("problemOf() shows the line of several, and counts wide characters as they are shown", () => {
  const problem = problemOf('{ name = "日本"\n  && span.x = "語" && eror }');
  expect(problem).toEndWith('\n    && span.x = "語" && eror }\n                        ^');
});

test("problemOf() shows what is around the place in a long line", () => {
  const problem = problemOf(
    `{ ${'span.a = "0123456789" && '.repeat(20)}eror && ${"span.b = 1 && ".repeat(9)}true }`,
  );
  expect(problem?.split("\n").slice(1)).toEqual([
    '  …span.a = "0123456789" && span.a = "0123456789" && eror && span.b = 1 && span.b =…',
    `   ${" ".repeat(50)}^`,
  ]);
});

test("problemOf() shows no character that a terminal acts on", () => {
  expect(problemOf('{ name = "\x1b[2J" && eror }')).not.toContain("\x1b");
});

test("withPlace() shows the place that a server named, if it is one", () => {
  expect(withPlace("parse error at line 1, col 3: no", "{ x }")).toBe(
    "parse error at line 1, col 3: no\n  { x }\n    ^",
  );
  expect(withPlace("parse error at line 9, col 3: no", "{ x }")).toBe("parse error at line 9, col 3: no");
  expect(withPlace("job queue full", "{ x }")).toBe("job queue full");
});
