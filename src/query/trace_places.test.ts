import { expect, test } from "bun:test";
import { blockMeta } from "../store/block_list_fixture.ts";
import { type SearchSources, TracePlaces } from "./trace_places.ts";

test("inSeveral() counts the part of a trace whose head is cut while filters are asked", async () => {
  const blocks = [blockMeta(1, { totalObjects: 5 })];
  let isInHead = true;
  const sources = {
    live: { locate: async () => (isInHead ? [0] : []) },
    list: { candidates: () => [...blocks] },
    stored: {
      countHolders: async (_ids: Uint8Array, metas: unknown[]) => [Uint8Array.of(metas.length)],
    },
    filters: {
      mayHoldEach: async function* (metas: ReturnType<typeof blockMeta>[]) {
        isInHead = false;
        blocks.push(blockMeta(2, { totalObjects: 5 }));
        yield metas.map((meta) => ({ meta, rows: null }));
      },
    },
  } as unknown as SearchSources;
  const request = { tenants: ["a"], start: 0, end: 2_000_000_000 };
  const places = new TracePlaces(request, new AbortController().signal, sources);
  places.liveTenants.add("a");
  // One part in the block that was listed, one in the head that has become a block since.
  expect(await places.inSeveral(new Uint8Array(16))).toEqual([0]);
});
