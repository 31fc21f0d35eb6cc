import { describe, expect, test } from "bun:test";
import { Column } from "../../wasm/column_ids.ts";
import { SpanBatch } from "../batch/span_batch.ts";
import { pickTraceIds, traceIdAt, traceIdBytes } from "../batch/trace_ids.ts";
import { id, request, span } from "../batch/wire_fixture.ts";
import type { BlockMeta } from "../block/meta.ts";
import { ReadCaches } from "../block/read_caches.ts";
import { measureTraces } from "../jobs/measure_blocks.ts";
import type { Measured } from "../jobs/measure_job.ts";
import { metricsPlanOf } from "../jobs/query_text.ts";
import { measureBatch, targetOf } from "../search/measure.ts";
import { measureHead } from "../search/measure_heads.ts";
import { parse } from "../traceql/index.ts";
import type { MetricsSources } from "./metrics_engine.ts";
import { MetricsRun } from "./metrics_run.ts";
import type { MetricsRequest } from "./metrics_types.ts";

/** A span, which begins in the second that is its own id. */
interface OneSpan {
  trace: number;
  id: number;
  parent?: number;
  name: string;
}

/** A head that becomes the block of that name, or the block itself. */
interface Source {
  name: string;
  spans: OneSpan[];
}

const caches = new ReadCaches({
  footerBytes: 0,
  fileBytes: 0,
  bloomBytes: 0,
  dictionaryBytes: 0,
  traceIdBytes: 0,
  pageBytes: 0,
});
const second = 1_000_000_000n;
const inspected = { inspectedTraces: 0, inspectedSpans: 0, inspectedBytes: 0 };

function batchOf(spans: readonly OneSpan[]): SpanBatch {
  const batch = SpanBatch.create();
  for (const { trace, id: spanId, parent, name } of spans) {
    const start = BigInt(spanId) * second;
    const one = span({ trace: id(16, trace), id: spanId, parent, name, start, end: start + second });
    batch.decode(request([one]), 0);
  }
  return batch;
}

function idsOf(batch: SpanBatch): Uint8Array<ArrayBuffer> {
  return batch.u8(Column.TraceId, batch.traces * traceIdBytes).slice();
}

/** Heads and blocks that are counted as the shards and the block workers do it, without files and threads. */
class World {
  /** Traces whose parts were asked for. */
  readonly joined: string[] = [];
  tellsSplit = true;
  cellsMax = 1000;
  readonly heads: { name: string; batch: SpanBatch }[];
  readonly blocks: { name: string; batch: SpanBatch }[];

  constructor({ heads = [], blocks = [] }: { heads?: Source[]; blocks?: Source[] }) {
    this.heads = heads.map(({ name, spans }) => ({ name, batch: batchOf(spans) }));
    this.blocks = blocks.map(({ name, spans }) => {
      const batch = batchOf(spans);
      batch.order();
      return { name, batch };
    });
  }

  get sources(): MetricsSources {
    const unused = () => {
      throw new Error("of no use to metrics");
    };
    return {
      cellsMax: this.cellsMax,
      list: {
        candidates: () =>
          this.blocks.map(({ name }) => ({ blockID: name, tenantID: "t", size: 1 }) as unknown as BlockMeta),
      },
      live: {
        search: unused,
        locate: unused,
        traceIds: async () => this.heads.map(({ batch }) => idsOf(batch)),
        findAll: async (_, ids) => [this.#partsIn(this.heads, ids)],
        measure: async (_, { query, ...wanted }) => {
          const terms = { ...wanted, plan: metricsPlanOf(query) };
          const target = targetOf(terms);
          const open = this.heads.map(({ batch }) => measureHead(batch, terms, target));
          const ids = new Uint8Array(Buffer.concat(open));
          const blockIds = this.heads.map(({ name }) => name);
          return [{ part: target.sums.finish(), open: ids, blockIds, ...inspected }];
        },
      },
      stored: {
        workers: 1,
        workerOf: () => 0,
        search: unused,
        countHolders: unused,
        reportRows: unused,
        reportTraces: unused,
        splitTraces: async (_, live) => (this.tellsSplit ? this.#split(live) : null),
        locate: async (ids, metas) =>
          metas.flatMap((meta, place) =>
            this.#partsIn([this.#block(meta)], ids).places.map((of): [number, number] => [of, place]),
          ),
        find: async (_, traceId, metas) => {
          const blocks = metas.map((meta) => this.#block(meta));
          return { traces: this.#partsIn(blocks, traceId).traces, inspectedBytes: 0 };
        },
        measure: async (_, { query, metas, ...wanted }): Promise<Measured> => {
          const terms = { ...wanted, plan: metricsPlanOf(query) };
          const target = targetOf(terms);
          const open = metas.map((meta) => {
            const { batch } = this.#block(meta);
            const ids = idsOf(batch);
            const elsewhere = Uint32Array.from(
              Array.from({ length: batch.traces }, (_, i) => i).filter((i) =>
                hexOf(wanted.split).includes(Buffer.from(traceIdAt(ids, i)).toString("hex")),
              ),
            );
            return pickTraceIds(ids, measureBatch(batch, "ordered", elsewhere, terms, target).open);
          });
          return { part: target.sums.finish(), open: new Uint8Array(Buffer.concat(open)), ...inspected };
        },
        measureTraces: async ({ query, ...wanted }) =>
          measureTraces(caches, { ...wanted, plan: metricsPlanOf(query) }),
      },
    };
  }

  #block({ blockID }: BlockMeta) {
    return this.blocks.find(({ name }) => name === blockID)!;
  }

  #partsIn(sources: readonly { batch: SpanBatch }[], ids: Uint8Array) {
    const found = { traces: [] as Uint8Array<ArrayBuffer>[], places: [] as number[], count: ids.length / 16 };
    for (let place = 0; place < found.count; place++) {
      for (const { batch } of sources) {
        const trace = batch.findTrace(traceIdAt(ids, place));
        if (trace === null) continue;
        this.joined.push(Buffer.from(traceIdAt(ids, place)).toString("hex").slice(-2));
        found.traces.push(trace as Uint8Array<ArrayBuffer>);
        found.places.push(place);
      }
    }
    return found;
  }

  #split(live: Uint8Array): Uint8Array {
    const counts = new Map<string, number>();
    for (const hex of [...hexOf(live), ...this.blocks.flatMap(({ batch }) => hexOf(idsOf(batch)))]) {
      counts.set(hex, (counts.get(hex) ?? 0) + 1);
    }
    return Buffer.from([...counts].flatMap(([hex, count]) => (count > 1 ? [hex] : [])).join(""), "hex");
  }

  /** Values by the label's, or by "" where there is none, and why the answer is not whole. */
  async ask(
    query: string,
    end = 100n,
  ): Promise<{ values: Record<string, number[]>; partial: string | null }> {
    const request: MetricsRequest = {
      tenants: ["t"],
      query: parse(query),
      startNanos: 0n,
      endNanos: end * second,
      stepNanos: end * second,
      isInstant: true,
      exemplars: 0,
      seriesMax: 0,
      progress: false,
    };
    const run = new MetricsRun(request, new AbortController().signal, this.sources);
    const { series, partial } = await run.run();
    const values = Object.fromEntries(
      series.map((one) => [one.labels.map(({ value }) => String(value.value)).join(), [...one.values]]),
    );
    return { values, partial };
  }
}

function hexOf(ids: Uint8Array): string[] {
  return Buffer.from(ids).toString("hex").match(/.{32}/g)?.map(String) ?? [];
}

const count = async (world: World, query: string) => (await world.ask(query)).values;

describe("what a metrics query counts", () => {
  test("spans of a head whose block is listed already are counted once", async () => {
    const spans = [1, 2, 3].map((spanId) => ({ trace: 1, id: spanId, name: "a" }));
    const other = { name: "other", spans: [{ trace: 2, id: 4, name: "b" }] };
    const cut = { name: "cut", spans };
    expect(await count(new World({ heads: [cut], blocks: [cut, other] }), "{} | count_over_time()")).toEqual({
      count_over_time: [4],
    });
    expect(await count(new World({ blocks: [cut, other] }), "{} | count_over_time() by (name)")).toEqual({
      a: [3],
      b: [1],
    });
  });

  test("a span that was sent twice to a head is counted once, one that differs by itself", async () => {
    const one = { trace: 1, id: 1, name: "a" };
    const world = new World({
      heads: [{ name: "h", spans: [one, one, { ...one, name: "b" }, { ...one, trace: 2 }] }],
    });
    expect(await count(world, "{} | count_over_time()")).toEqual({ count_over_time: [3] });
    expect(await count(world, "{} >> {} | count_over_time()")).toEqual({ count_over_time: [0] });
  });

  test("traces that lie in several places are judged whole, and only those that may match are put together", async () => {
    const world = new World({
      heads: [
        {
          name: "h",
          spans: [
            { trace: 1, id: 2, parent: 1, name: "child" },
            { trace: 2, id: 12, parent: 11, name: "other" },
          ],
        },
      ],
      blocks: [
        {
          name: "b",
          spans: [
            { trace: 1, id: 1, name: "parent" },
            { trace: 2, id: 11, name: "parent" },
            { trace: 3, id: 21, name: "parent" },
            { trace: 3, id: 22, parent: 21, name: "child" },
          ],
        },
      ],
    });
    const query = '{ name = "parent" } >> { name = "child" } | count_over_time()';
    expect(await count(world, query)).toEqual({ count_over_time: [2] });
    // Trace 2 has no child, which is the rarer: found in the head, it need not be read.
    expect(new Set(world.joined)).toEqual(new Set(["01", "02"]));
    // What each span says of itself needs no other.
    world.joined.length = 0;
    expect(await count(world, '{ name = "parent" } | count_over_time()')).toEqual({ count_over_time: [3] });
    expect(await count(world, "{ nestedSetParent < 0 } | count_over_time()")).toEqual({
      count_over_time: [3],
    });
    expect(world.joined).toEqual([]);
    expect(await count(world, "{} | count_over_time() by (rootName)")).toEqual({ parent: [6] });
    // Where it can't be told which traces are split, each part stands for itself.
    world.tellsSplit = false;
    expect(await count(world, query)).toEqual({ count_over_time: [1] });
  });

  test("an answer that there is no room for says so", async () => {
    const spans = [1, 2, 3].map((spanId) => ({ trace: 1, id: spanId, name: `n${spanId}` }));
    const world = new World({ heads: [{ name: "h", spans }] });
    world.cellsMax = 2;
    const { values, partial } = await world.ask("{} | count_over_time() by (name)");
    expect(values).toEqual({ n1: [1], n2: [1] });
    expect(partial).toContain("more series than the server has room for");
  });
});
