import { describe, expect, test } from "bun:test";
import type { BlockMeta } from "../block/meta.ts";
import { metaOf } from "../shard/shard_fixture.ts";
import { extractConditions, parseIdentifier } from "../traceql/index.ts";
import { RememberedTags } from "./remembered_tags.ts";
import type { StoredTags } from "./tag_lister.ts";

const never = new AbortController().signal;
const query = { scope: "none", groups: null, limit: 0, bytesMax: 0 } as const;
const filtered = { ...query, groups: extractConditions("{ status = error }", { groupsMax: 1 }) };

/** Blocks whose only name or value is their id; a missing one has none. */
function tagsOver(missing = "") {
  const asked: string[] = [];
  const list = async (blocks: BlockMeta[]) => {
    const ids = blocks.map(({ blockID }) => blockID);
    asked.push(ids.join());
    const lists = { span: ids.filter((id) => id !== missing) };
    return [{ lists, inspectedBytes: 7, isWhole: !ids.includes(missing) }];
  };
  const stored = {
    tagNames: (_, blocks) => list(blocks),
    tagValues: (_, blocks) => list(blocks) as never,
  } as StoredTags;
  return { tags: new RememberedTags(stored), asked };
}

const blocks = (...ids: number[]) => ids.map((id) => metaOf("t", String(id), 1));

describe("RememberedTags", () => {
  test("asks nobody when the same is asked again of the same blocks", async () => {
    const { tags, asked } = tagsOver();
    await tags.tagNames(query, blocks(1, 2), never);
    const again = await tags.tagNames(query, blocks(2, 1), never);
    expect(again).toEqual([{ lists: { span: ["1", "2"] }, inspectedBytes: 0, isWhole: true }]);
    expect(asked).toEqual(["1,2"]);
  });

  test("asks of further blocks only", async () => {
    const { tags, asked } = tagsOver();
    await tags.tagNames(query, blocks(1, 2), never);
    const more = await tags.tagNames(query, blocks(1, 2, 4), never);
    expect(more.map(({ lists }) => lists)).toEqual([{ span: ["1", "2"] }, { span: ["4"] }]);
    const again = await tags.tagNames(query, blocks(1, 2, 4), never);
    expect(again.map(({ lists }) => lists)).toEqual([{ span: ["1", "2", "4"] }]);
    expect(asked).toEqual(["1,2", "4"]);
  });

  test("asks of all blocks when one is asked for no more", async () => {
    const { tags, asked } = tagsOver();
    await tags.tagNames(query, blocks(1, 2), never);
    const [less] = await tags.tagNames(query, blocks(2, 3), never);
    expect(less!.lists).toEqual({ span: ["2", "3"] });
    expect(asked).toEqual(["1,2", "2,3"]);
  });

  test("asks anew for another request, or tenant", async () => {
    const { tags, asked } = tagsOver();
    await tags.tagNames(query, blocks(1), never);
    await tags.tagNames({ ...query, scope: "span" }, blocks(1), never);
    await tags.tagNames({ ...query, limit: 5 }, blocks(1), never);
    await tags.tagNames(query, [metaOf("u", "1", 1)], never);
    for (const tag of ["span.a", "resource.a"]) {
      await tags.tagValues({ ...query, attribute: parseIdentifier(tag) }, blocks(1), never);
    }
    expect(asked.length).toBe(6);
    await tags.tagNames(query, blocks(1), never);
    await tags.tagValues({ ...query, attribute: parseIdentifier("span.a") }, blocks(1), never);
    expect(asked.length).toBe(6);
  });

  test("asks every time what a filter's spans have", async () => {
    const { tags, asked } = tagsOver();
    await tags.tagNames(filtered, blocks(1), never);
    await tags.tagNames(filtered, blocks(1), never);
    expect(asked).toEqual(["1", "1"]);
  });

  test("asks again where a block was not there", async () => {
    const { tags, asked } = tagsOver("2");
    await tags.tagNames(query, blocks(1, 2), never);
    await tags.tagNames(query, blocks(1, 2), never);
    expect(asked).toEqual(["1,2", "1,2"]);
  });
});
