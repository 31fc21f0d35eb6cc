import { expect, test } from "bun:test";
import type { BlockMeta } from "../block/meta.ts";
import { groupsOfShare, queuesOf } from "./block_shares.ts";

const block = (blockID: string, size: number) => ({ blockID, size }) as BlockMeta;
const small = block("small", 1 << 20);
const other = block("other", 2 << 20);
const large = block("large", 64 << 20);

test("a small block is one worker's, a large one everybody's", () => {
  const queues = queuesOf([large, small, other], 3, ({ blockID }) => (blockID === "small" ? 2 : 0));
  expect(queues.map((queue) => queue.map(({ blockID }) => blockID))).toEqual([
    ["large", "other"],
    ["large"],
    ["large", "small"],
  ]);
});

test("each row group is read by one worker", () => {
  const shares = [0, 1, 2].map((part) => groupsOfShare(large, 8, { part, of: 3 }));
  expect(shares).toEqual([
    [0, 3, 6],
    [1, 4, 7],
    [2, 5],
  ]);
  expect(groupsOfShare(small, 2, { part: 1, of: 3 })).toEqual([0, 1]);
});
