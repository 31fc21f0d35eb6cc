import { expect, test } from "bun:test";
import { FoundTags } from "./found_tags.ts";

test("FoundTags tells what is missing, and lists what is there", () => {
  const found = new FoundTags<"span" | "event">();
  expect(found.missingOf({ span: ["a", "b"] })).toEqual({ span: ["a", "b"] });
  found.add({ span: ["b"] });
  found.add({ span: ["c", "a"], event: ["e"] });
  expect(found.missingOf({ span: ["a", "b", "d"], event: ["e"] })).toEqual({ span: ["d"] });
  expect(found.lists).toEqual({ span: ["a", "b", "c"], event: ["e"] });
});
