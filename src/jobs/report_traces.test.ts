import { expect, test } from "bun:test";
import { id, request, span } from "../batch/wire_fixture.ts";
import { batchOf, defaultOptions } from "../block/encode_fixture.ts";
import { ReadCaches } from "../block/read_caches.ts";
import { writeBlock } from "../block/write.ts";
import { planSearch } from "../search/plan.ts";
import { MemoryStore } from "../store/memory_store_fixture.ts";
import { parse } from "../traceql/index.ts";
import { reportRows, reportTraces } from "./report_traces.ts";

const signal = new AbortController().signal;
const plan = planSearch(parse("{ }"));
const traces = [1, 2, 3].map((trace) =>
  request([span({ trace: id(16, trace), id: trace, start: 5n, end: 6n })]),
);

async function shownRows(rows: number[], bytesMax: number): Promise<{ ids: string[]; bytes: number }> {
  const store = new MemoryStore();
  const meta = await writeBlock(batchOf(traces), store, defaultOptions, async () => {});
  const options = { spansPerSpanSet: 3, spanSets: true, bytesMax };
  const blockRows = [[{ group: 0, rows }]];
  const params = { plan, options, metas: [meta], blockRows };
  const { summaries } = await reportRows(store, new ReadCaches(), params, signal);
  return {
    ids: summaries.map(({ traceId }) => traceId.replace(/^0+/, "")),
    bytes: summaries.reduce((sum, { message }) => sum + message.length, 0),
  };
}

test("reportRows() shows the rows that are asked for", async () => {
  const order = (await shownRows([0, 1, 2], 10_000)).ids;
  expect(order.toSorted()).toEqual([id(16, 1), id(16, 2), id(16, 3)].map(hex).toSorted());
  expect((await shownRows([0, 2], 10_000)).ids).toEqual([order[0]!, order[2]!]);
});

test("reportRows() refuses as soon as summaries take more than they may", async () => {
  const { bytes } = await shownRows([0, 1, 2], 10_000);
  expect((await shownRows([0, 1, 2], bytes)).ids.length).toBe(3);
  const failed = shownRows([0, 1, 2], bytes - 1);
  await expect(failed).rejects.toMatchObject({ code: "query_too_large" });
  // It is the query's fault, and no block's.
  await expect(failed).rejects.toThrow(/^the answer would take more than/);
});

test("reportTraces() does as well", () => {
  const window = { startNanos: 0n, endNanos: 10n };
  const shown = (bytesMax: number) =>
    reportTraces(new ReadCaches(), {
      plan,
      options: { spansPerSpanSet: 3, spanSets: true, bytesMax },
      window,
      parts: traces,
    }).summaries;
  const bytes = shown(10_000).reduce((sum, { message }) => sum + message.length, 0);
  expect(shown(bytes).length).toBe(3);
  expect(() => shown(bytes - 1)).toThrow("the answer would take more than");
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex").replace(/^0+/, "");
}
