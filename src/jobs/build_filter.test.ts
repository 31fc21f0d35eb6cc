import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { traceIdAt, traceIdBytes } from "../batch/trace_ids.ts";
import { fixtures, haveFixtures } from "../block/encode_fixture.ts";
import type { BlockReader } from "../block/read.ts";
import { goldenTenants, openGolden } from "../block/read_fixture.ts";
import { blockOf, type SpanOf } from "../compact/compact_fixture.ts";
import { FilterSet, TraceFilter } from "../filter/trace_filter.ts";
import { BlockGone } from "../store/block_list_gone.ts";
import { LocalStore } from "../store/local_store.ts";
import { MemoryStore } from "../store/memory_store_fixture.ts";
import { FilterMaker } from "./build_filter.ts";

const never = new AbortController().signal;

async function idsOf(reader: BlockReader): Promise<Uint8Array[]> {
  const ids: Uint8Array[] = [];
  for (let group = 0; group < (await reader.rowGroups()); group++) {
    const stored = await reader.traceIds(group);
    for (let i = 0; i < stored.length / traceIdBytes; i++) ids.push(traceIdAt(stored, i).slice());
  }
  return ids;
}

if (!haveFixtures) console.warn("skipped: the golden blocks are not here (../shared/fixtures/tempo-blocks)");

describe.skipIf(!haveFixtures)("FilterMaker.make() of Tempo's blocks", () => {
  for (const golden of goldenTenants()) {
    test(`${golden.root}/${golden.tenant}`, async () => {
      const store = new LocalStore(join(fixtures, golden.root));
      for (const reader of await openGolden(golden)) {
        const built = await new FilterMaker(store).make(reader.meta, never);
        if ("damage" in built) throw new Error(built.damage);
        const filter = new TraceFilter(built.bytes);
        const ids = await idsOf(reader);
        expect(filter.rows).toBe(ids.length);
        for (const [row, id] of ids.entries()) {
          const [rows] = new FilterSet([filter]).findRows(id);
          expect(rows!.start).toBeLessThanOrEqual(row);
          expect(rows!.end).toBeGreaterThan(row);
        }
      }
    });
  }
});

describe("FilterMaker.make()", () => {
  const spans = Array.from({ length: 300 }, (_, i): SpanOf => ({ trace: i + 1, span: i + 1 }));

  test("reads the footer and the first column of each row group, and no more", async () => {
    const store = new MemoryStore();
    const meta = await blockOf(store, spans, { rowGroupBytesMax: 20_000 });
    const asked: string[] = [];
    const readRanges = store.readRanges.bind(store);
    store.readRanges = (path, ranges) => {
      for (const { length } of ranges) asked.push(`${path.split("/")[2]} ${length}`);
      return readRanges(path, ranges);
    };
    const built = await new FilterMaker(store).make(meta, never);
    expect("bytes" in built && new TraceFilter(built.bytes).rows).toBe(300);
    expect(asked[0]).toBe(`data.parquet ${meta.footerSize}`);
    const groups = JSON.parse(
      new TextDecoder().decode(await store.read(`${meta.tenantID}/${meta.blockID}/index`)),
    );
    expect(groups.rowGroups.length).toBeGreaterThan(1);
    expect(asked.length).toBe(1 + groups.rowGroups.length);
  });

  test("asks a store of the network once for a block of one row group", async () => {
    const store = Object.assign(new MemoryStore(), { remote: true });
    const meta = await blockOf(store, spans);
    const asked: number[] = [];
    const readRanges = store.readRanges.bind(store);
    store.readRanges = (path, ranges) => {
      asked.push(ranges.length);
      return readRanges(path, ranges);
    };
    const built = await new FilterMaker(store).make(meta, never);
    expect("bytes" in built && new TraceFilter(built.bytes).rows).toBe(300);
    expect(asked).toEqual([1]);
  });

  test("gives none where the meta says otherwise, or the file is damaged", async () => {
    const store = new MemoryStore();
    const meta = await blockOf(store, spans);
    const maker = new FilterMaker(store);
    expect(await maker.make({ ...meta, totalObjects: 299 }, never)).toEqual({
      damage: "300 rows in the footer, 299 traces in the meta",
    });
    expect(await maker.make({ ...meta, format: "vParquet4-preview" }, never)).toHaveProperty("damage");
    const path = `${meta.tenantID}/${meta.blockID}/data.parquet`;
    const good = await store.read(path);
    let damaged = 0;
    for (let at = 4; at < 4000; at += 97) {
      const bytes = good.slice();
      bytes[at] = bytes[at]! ^ 0x55;
      await store.write(path, bytes);
      const built = await new FilterMaker(store).make(meta, never);
      if ("damage" in built) damaged++;
      else expectSame(built.bytes);
    }
    expect(damaged).toBeGreaterThan(10);

    function expectSame(bytes: Uint8Array<ArrayBuffer>): void {
      const filter = new TraceFilter(bytes);
      for (const { trace } of spans) {
        const id = new Uint8Array(16);
        new DataView(id.buffer).setUint32(12, trace);
        expect(new FilterSet([filter]).findRows(id)).not.toEqual([null]);
      }
    }
  });

  test("says that a block is gone", async () => {
    const store = new MemoryStore();
    const meta = await blockOf(store, spans);
    await store.deleteAll(`${meta.tenantID}/${meta.blockID}`);
    await expect(new FilterMaker(store).make(meta, never)).rejects.toBeInstanceOf(BlockGone);
  });
});
