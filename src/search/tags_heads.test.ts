import { describe, expect, test } from "bun:test";
import { SpanBatch } from "../batch/span_batch.ts";
import {
  attribute,
  field,
  fixed64,
  id,
  message,
  request,
  span,
  text,
  varintField,
} from "../batch/wire_fixture.ts";
import { extractConditions, parseIdentifier } from "../traceql/index.ts";
import { tagNamesOfHeads, tagValuesOfHeads } from "./tags_heads.ts";

const second = 1_000_000_000n;
const always = { start: 0, end: 0 };
const tag = (key: string, value: string) => field(9, attribute(key, text(1, value)));
const number = (key: string, value: bigint) => field(9, attribute(key, varintField(3, value)));
const status = (code: bigint) => field(15, varintField(3, code));
const event = (name: string, ...attributes: Uint8Array[]) =>
  field(11, message(fixed64(1, second), text(2, name), ...attributes.map((a) => field(3, a))));

function heads(): SpanBatch[] {
  const first = SpanBatch.create();
  const at = (from: bigint, to: bigint) => ({ start: from * second, end: to * second });
  first.decode(
    request(
      [
        span({
          trace: id(16, 1),
          id: 1,
          name: "root",
          ...at(100n, 104n),
          fields: [tag("a", "1"), number("n", 5n)],
        }),
        span({
          trace: id(16, 1),
          id: 2,
          parent: 1,
          name: "inner",
          ...at(101n, 102n),
          fields: [tag("a", "2"), status(2n)],
        }),
      ],
      "cart",
    ),
    0,
  );
  const other = SpanBatch.create();
  other.decode(
    request(
      [
        span({
          trace: id(16, 2),
          id: 3,
          name: "pay",
          ...at(200n, 201n),
          fields: [
            tag("a", "3"),
            tag("b", "4"),
            event("x", attribute("e", text(1, "1"))),
            event("y", attribute("e", text(1, "2")), attribute("f", text(1, "f"))),
          ],
        }),
      ],
      "payment",
    ),
    0,
  );
  return [first, other];
}

function values(tagName: string, filter = "", range = always, bounds = {}) {
  const groups = extractConditions(filter, { groupsMax: 100 });
  const query = { attribute: parseIdentifier(tagName), groups, limit: 0, bytesMax: 0, ...bounds };
  return tagValuesOfHeads(heads(), query, range);
}

function names(filter = "", range = always) {
  const groups = extractConditions(filter, { groupsMax: 100 });
  return tagNamesOfHeads(heads(), { scope: "none", groups, limit: 0, bytesMax: 0 }, range);
}

describe("tags of heads", () => {
  test("are those of all of them", () => {
    expect(names()).toEqual({ resource: ["service.name"], span: ["a", "b", "n"], event: ["e", "f"] });
    expect(values("span.a")).toEqual({ string: ["1", "2", "3"] });
  });

  test("are those of heads with spans of the time", () => {
    expect(values("span.a", "", { start: 0, end: 99 })).toEqual({});
    expect(values("span.a", "", { start: 0, end: 100 })).toEqual({ string: ["1", "2"] });
    expect(values("span.a", "", { start: 104, end: 199 })).toEqual({ string: ["1", "2"] });
    expect(values("span.a", "", { start: 105, end: 199 })).toEqual({});
    expect(values("span.a", "", { start: 105, end: 0 })).toEqual({ string: ["3"] });
    expect(names("", { start: 150, end: 300 }).span).toEqual(["a", "b"]);
  });

  test("keep the first that the bounds allow, over all heads", () => {
    expect(values("span.a", "", always, { limit: 2 })).toEqual({ string: ["1", "2", "3"] }); // one too many
    expect(values("span.a", "", always, { bytesMax: 1 })).toEqual({ string: ["1", "2"] });
  });

  test("are of spans that all conditions of a group hold for", () => {
    expect(values("span.a", "{ resource.service.name = `cart` }")).toEqual({ string: ["1", "2"] });
    expect(values("span.a", "{ resource.service.name = `cart` && status = error }")).toEqual({
      string: ["2"],
    });
    expect(values("span.a", "{ span.n = 5 || name =~ `p.*` }")).toEqual({ string: ["1", "3"] });
    expect(values("name", "{ span.b != nil }")).toEqual({ string: ["pay"] });
    expect(values("name", "{ duration > 2s }")).toEqual({ string: ["root"] });
    expect(names("{ span.n > 4 }")).toEqual({ resource: ["service.name"], span: ["a", "n"] });
  });

  test("are restricted by conditions on attributes without scope as well", () => {
    expect(values("span.a", "{ .service.name = `payment` }")).toEqual({ string: ["3"] });
    expect(values("resource.service.name", "{ .a = `2` }")).toEqual({ string: ["cart"] });
  });

  test("of a group's conditions on events one event has to fit all", () => {
    expect(values("name", "{ event.e = `2` && event.f = `f` }")).toEqual({ string: ["pay"] });
    expect(values("name", "{ event.e = `1` && event.f = `f` }")).toEqual({});
  });

  test("can be asked of what the whole trace has", () => {
    expect(values("name", "{ trace:duration > 3s }")).toEqual({ string: ["inner", "root"] });
    expect(values("name", "{ trace:rootName = `pay` }")).toEqual({ string: ["pay"] });
    expect(values("trace:rootName", "{ status = error }")).toEqual({ string: ["root"] });
  });
});
