// One metrics query under way. Heads are counted first, then the blocks that were not written from one of these; traces that have to be
// whole, and lie in several places, last.
import { traceIdBytes } from "../batch/trace_ids.ts";
import type { BlockMeta } from "../block/meta.ts";
import { queuesOf } from "../jobs/block_shares.ts";
import type { Measured, MetricsTerms } from "../jobs/measure_job.ts";
import { type QueryText, queryText } from "../jobs/query_text.ts";
import { type MetricsPlan, planMetrics } from "../search/metrics_plan.ts";
import { comparedValuesMax, SeriesAccumulator } from "../search/series_accumulator.ts";
import { buffersOfPart, type SeriesPart } from "../search/series_part.ts";
import { garbage } from "../threads/garbage.ts";
import { chosen } from "./chosen_exemplars.ts";
import { seriesOfPart } from "./metrics_answer.ts";
import type { MetricsSources } from "./metrics_engine.ts";
import type { MetricsRequest, Series } from "./metrics_types.ts";
import type { Asked } from "./search_engine.ts";
import { noSearchMetrics, type SearchMetrics } from "./search_types.ts";
import { TracePlaces } from "./trace_places.ts";

/** Blocks that a worker counts in one job. */
const blocksPerJobMax = 16;
/** Traces that are put together for one query; those beyond are left out, and the answer says so. */
const joinedTracesMax = 1 << 14;
/** Bytes of OTLP that are put together at a time. */
const joinedBytesMax = 16 << 20;

/** Shards and jobs on blocks whose values of an attribute are kept apart in a comparison. */
const sourcesOfValues = 4;

/** Exemplars of all sources, before those that are shown are chosen. */
const exemplarsHeldMax = 1000;

const nanosPerSecond = 1_000_000_000n;

export class MetricsRun {
  readonly #request: MetricsRequest;
  readonly #plan: MetricsPlan;
  readonly #query: QueryText;
  readonly #signal: AbortSignal;
  readonly #sources: MetricsSources;
  readonly #places: TracePlaces;
  readonly #sums: SeriesAccumulator;
  #split: Uint8Array = new Uint8Array(0);
  /** In hex, ids of the split traces that may count when they are whole. */
  readonly #open = new Set<string>();
  /** Blocks whose spans were counted in a head. */
  readonly #counted = new Set<string>();
  #leftOutTraces = 0;
  #isSplitUnknown = false;
  readonly #metrics: SearchMetrics = { ...noSearchMetrics };

  constructor(request: MetricsRequest, signal: AbortSignal, sources: MetricsSources) {
    this.#request = request;
    this.#plan = planMetrics(request.query);
    this.#query = queryText(request.query);
    this.#signal = signal;
    this.#sources = sources;
    const searched = {
      tenants: request.tenants,
      start: Number(request.startNanos / nanosPerSecond),
      end: Number(request.endNanos / nanosPerSecond) + 1,
    };
    this.#places = new TracePlaces(searched, signal, { ...sources, filters: null });
    for (const tenant of request.tenants) this.#places.liveTenants.add(tenant);
    // The workers meet values in different orders: all of what they have counted is wanted.
    const valuesMax = comparedValuesMax * sourcesOfValues;
    this.#sums = new SeriesAccumulator(this.#plan, sources.cellsMax, valuesMax);
  }

  metrics(): SearchMetrics {
    return { ...this.#metrics };
  }

  async run(): Promise<{ series: Series[]; partial: string | null }> {
    if (this.#plan.necessary.kind !== "never") {
      if (this.#plan.needsWholeTrace) await this.#findSplit();
      await this.#measureHeads();
      // A block is listed before the head that it was written from is dropped: asked in this order, nothing falls between.
      const metas = this.#places.blocks(0).filter(({ blockID }) => !this.#counted.has(blockID));
      await this.#measureBlocks(metas);
      await this.#measureOpen();
    }
    return this.#answer();
  }

  get #terms(): Asked<MetricsTerms> {
    const { startNanos, endNanos, stepNanos, exemplars } = this.#request;
    return {
      query: this.#query,
      grid: { startNanos, endNanos, stepNanos },
      exemplars,
      cellsMax: this.#sources.cellsMax,
      split: this.#split,
    };
  }

  async #findSplit(): Promise<void> {
    await this.#places.askHeads();
    await this.#places.findSplit();
    // Where it can't be told, each part is judged by itself.
    if (this.#places.split === null) this.#isSplitUnknown = true;
    else this.#split = this.#places.split;
  }

  async #measureHeads(): Promise<void> {
    const { live } = this.#sources;
    await Promise.all(
      this.#request.tenants.map(async (tenant) => {
        this.#metrics.totalJobs++;
        for (const measured of await live.measure(tenant, this.#terms, this.#signal)) {
          for (const id of measured.blockIds) this.#counted.add(id);
          this.#add(measured);
        }
        this.#metrics.completedJobs++;
      }),
    );
  }

  async #measureBlocks(metas: BlockMeta[]): Promise<void> {
    const { stored } = this.#sources;
    this.#metrics.totalBlocks = metas.length;
    this.#metrics.totalBlockBytes = metas.reduce((sum, { size }) => sum + size, 0);
    const queues = queuesOf(metas, stored.workers, (meta) => stored.workerOf(meta));
    this.#metrics.totalJobs += queues.reduce((sum, { length }) => sum + length, 0);
    await Promise.all(
      queues.map(async (queue, worker) => {
        while (queue.length > 0) {
          const next = queue.splice(0, blocksPerJobMax);
          const share = { part: worker, of: stored.workers };
          this.#add(await stored.measure(worker, { ...this.#terms, metas: next, share }, this.#signal));
          this.#metrics.completedJobs += next.length;
        }
      }),
    );
  }

  /** Puts the traces together that lie in several places, and counts their spans. */
  async #measureOpen(): Promise<void> {
    const all = [...this.#open].sort();
    this.#leftOutTraces = Math.max(0, all.length - joinedTracesMax);
    let ids = new Uint8Array(Buffer.from(all.slice(0, joinedTracesMax).join(""), "hex"));
    while (ids.length > 0) {
      const { parts, count, inspectedBytes } = await this.#places.partsOf(ids, joinedBytesMax);
      this.#metrics.inspectedBytes += inspectedBytes;
      const params = { ...this.#terms, split: new Uint8Array(0), parts };
      this.#add(await this.#sources.stored.measureTraces(params, this.#signal));
      ids = ids.slice(count * traceIdBytes);
    }
  }

  #add({ part, open, inspectedTraces, inspectedSpans, inspectedBytes }: Measured): void {
    this.#sums.add(part);
    garbage.add(partBytes(part));
    this.#sums.thinExemplars(exemplarsHeldMax, (picked) => chosen(picked, this.#request));
    for (let i = 0; i < open.length; i += traceIdBytes) {
      this.#open.add(Buffer.from(open.buffer, open.byteOffset + i, traceIdBytes).toString("hex"));
    }
    this.#metrics.inspectedTraces += inspectedTraces;
    this.#metrics.inspectedSpans += inspectedSpans;
    this.#metrics.inspectedBytes += inspectedBytes;
  }

  #answer(): { series: Series[]; partial: string | null } {
    const { series, isCut } = seriesOfPart(this.#request.query, this.#sums.finish(), this.#request);
    return { series, partial: this.#partial(isCut) };
  }

  #partial(isCut: boolean): string | null {
    const reasons: string[] = [];
    if (isCut) {
      reasons.push(
        "The query has more series than the server has room for, a partial response is returned. Group by fewer values, or ask for a shorter time or a longer step.",
      );
    }
    if (this.#leftOutTraces > 0) {
      reasons.push(
        `${this.#leftOutTraces} traces that lie in several blocks and have to be whole for this query were left out. Ask for a shorter time.`,
      );
    }
    if (this.#isSplitUnknown) {
      reasons.push(
        "There are too many traces to tell which of them lie in several blocks: their parts were judged by themselves. Ask for a shorter time.",
      );
    }
    return reasons.length === 0 ? null : reasons.join(" ");
  }
}

function partBytes(part: SeriesPart): number {
  return buffersOfPart(part).reduce((sum, { byteLength }) => sum + byteLength, 0);
}
