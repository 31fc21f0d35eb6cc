import { expect, test } from "bun:test";
import { blockSchema, leaves } from "../block/schema.ts";
import { homesOf } from "./merge_homes.ts";

test("homesOf() puts the required leaves of a group into one home, and lists into homes of their own", () => {
  const schema = blockSchema("vParquet4", []);
  const homes = homesOf(schema);
  const homeOf = (path: string) => homes[leaves(schema).findIndex((leaf) => leaf.path === path)]!;
  const spans = "rs.list.element.ss.list.element.Spans.list.element";
  expect(homeOf(`${spans}.SpanID`)).toBe(homeOf(`${spans}.HttpUrl`));
  expect(homeOf("rs.list.element.Resource.ServiceName").outer).toBe(homeOf("TraceID"));
  const attributes = homeOf(`${spans}.Attrs.list.element.Key`);
  expect(attributes.outer).toBe(homeOf(`${spans}.SpanID`));
  expect(homeOf(`${spans}.Attrs.list.element.ValueInt.list.element`).outer).toBe(attributes);
  // Key, IsArray, ValueUnsupported, and a list for each of four types.
  expect(attributes.leaves).toBe(7);
  expect(homeOf("TraceID").leaves).toBe(103);
});
