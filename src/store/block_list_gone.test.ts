import { expect, test } from "bun:test";
import { BlockGone, pastGoneBlocks, streamPastGoneBlocks } from "./block_list_gone.ts";

const gone = () => new BlockGone({ tenantID: "acme", blockID: "b" });
/** As it comes from a worker. */
const goneElsewhere = () => Object.assign(new Error("block acme/b was deleted"), { code: "block_gone" });

test("pastGoneBlocks() reads the lists again and asks again", async () => {
  const reread: string[] = [];
  let asked = 0;
  const answer = await pastGoneBlocks(
    ["acme", "other"],
    async (tenant) => void reread.push(tenant),
    async () => {
      if (++asked < 3) throw asked === 1 ? gone() : goneElsewhere();
      return "found";
    },
  );
  expect(answer).toBe("found");
  expect(reread).toEqual(["acme", "other", "acme", "other"]);
});

test("pastGoneBlocks() gives up where blocks vanish for ever, and on other errors at once", async () => {
  let asked = 0;
  const ask = async () => {
    asked++;
    throw gone();
  };
  await expect(pastGoneBlocks(["acme"], async () => {}, ask)).rejects.toThrow("acme/b was deleted");
  expect(asked).toBe(4);
  const broken = async () => {
    asked++;
    throw new Error("broken");
  };
  await expect(pastGoneBlocks(["acme"], async () => {}, broken)).rejects.toThrow("broken");
  expect(asked).toBe(5);
});

test("streamPastGoneBlocks() begins again after what it has told", async () => {
  let asked = 0;
  const ask = async function* () {
    yield asked;
    if (asked++ === 0) throw gone();
    yield 9;
  };
  const told: number[] = [];
  for await (const each of streamPastGoneBlocks(["acme"], async () => {}, ask)) told.push(each);
  expect(told).toEqual([0, 1, 9]);
});
