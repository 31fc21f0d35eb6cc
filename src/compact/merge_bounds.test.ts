// Bounds of texts behind empty ones: readers pass over pages, and a merge over whole leaves, by their word.
import { expect, test } from "bun:test";
import { parquetMetadata } from "hyparquet";
import { field, id, message, request, span, text } from "../batch/wire_fixture.ts";
import { batchOf, defaultOptions, readRows } from "../block/encode_fixture.ts";
import type { BlockMeta } from "../block/meta.ts";
import { writeBlock } from "../block/write.ts";
import { MemoryStore } from "../store/memory_store_fixture.ts";
import { blockOf, mergeOptions } from "./compact_fixture.ts";
import { mergeBlocks } from "./merge_blocks.ts";

const noPause = () => Promise.resolve();

function dataOf(store: MemoryStore, blockId: string): Uint8Array {
  return store.objects.get(`${defaultOptions.tenant}/${blockId}/data.parquet`)!.bytes;
}

interface Row {
  rs: { ss: { Spans: { TraceState: string; StatusMessage: string }[] }[] }[];
}

async function textsOf(data: Uint8Array, column: "TraceState" | "StatusMessage"): Promise<string[]> {
  const rows = (await readRows(data)) as unknown as Row[];
  return rows.flatMap(({ rs }) =>
    rs.flatMap(({ ss }) => ss.flatMap(({ Spans }) => Spans.map((one) => one[column]))),
  );
}

/** What the footer says of a column: the least and the greatest text of each row group. */
function boundsOf(data: Uint8Array, column: string): unknown[] {
  const { row_groups } = parquetMetadata(data.slice().buffer);
  return row_groups.map(({ columns }) => {
    const chunk = columns.find(({ meta_data }) => meta_data?.path_in_schema.at(-1) === column);
    const { min_value, max_value } = chunk!.meta_data!.statistics!;
    return [min_value, max_value];
  });
}

test("the first text of a batch counts, where it follows an empty one", async () => {
  const store = new MemoryStore();
  // Without resource and scope, so that no other text comes before the trace state.
  const spans = [
    message(field(1, id(16, 2)), field(2, id(8, 1)), text(3, "a=b")),
    message(field(1, id(16, 1)), field(2, id(8, 2))),
  ];
  const batch = batchOf([field(1, field(2, message(...spans.map((one) => field(2, one)))))]);
  const meta = await writeBlock(batch, store, { ...defaultOptions, blockId: "a" }, noPause);
  expect(boundsOf(dataOf(store, "a"), "TraceState")).toEqual([["", "a=b"]]);
  const other = await blockOf(store, [{ trace: 9, span: 9 }]);
  await mergeBlocks(store, [meta, other], { ...mergeOptions, blockId: "o" }, noPause);
  expect(await textsOf(dataOf(store, "o"), "TraceState")).toEqual(["", "a=b", ""]);
});

test("texts that are copied behind empty ones count", async () => {
  const store = new MemoryStore();
  const metas: BlockMeta[] = [];
  for (const place of [0, 1]) {
    const spans = Array.from({ length: 3000 }, (_, i) => {
      const said = i % 40 === 2 ? "" : `${i % 40 === 3 ? "zzz" : "m"}${i} of ${place}`;
      const trace = id(16, 1 + place + 2 * (Math.floor(i / 10) % 300));
      return span({ trace, id: i + 1, name: "n", start: 1n, end: 2n, fields: [field(15, text(2, said))] });
    });
    const options = { ...defaultOptions, blockId: `${place}` };
    metas.push(await writeBlock(batchOf([request(spans)]), store, options, noPause));
  }
  await mergeBlocks(store, metas, { ...mergeOptions, rowGroupSpansMax: 50_000, blockId: "o" }, noPause);
  const data = dataOf(store, "o");
  const texts = (await textsOf(data, "StatusMessage")).sort();
  expect(texts.length).toBe(6000);
  expect(boundsOf(data, "StatusMessage")).toEqual([["", texts.at(-1)]]);
});
