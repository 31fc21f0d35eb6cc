// One search under way. Sources give parts of traces; those that may be among the newest are looked for everywhere, and a trace that
// lies in several places is put together before anyone says whether it matches, when it began, and what is shown of it.
import { traceIdAt } from "../batch/trace_ids.ts";
import type { BlockMeta } from "../block/meta.ts";
import { type QueryText, queryText } from "../jobs/query_text.ts";
import {
  type FoundParts,
  joinArrays,
  joinParts,
  type Parts,
  type SearchTerms,
  type StoredParts,
} from "../jobs/search_job.ts";
import type { SearchPlan } from "../search/plan.ts";
import type { TimeWindow } from "../search/projection.ts";
import type { ReportOptions, Summary } from "../search/report.ts";
import type { Asked } from "./search_engine.ts";
import type { FoundSummary, SearchMetrics, SearchRequest } from "./search_types.ts";
import { type SearchSources, TracePlaces } from "./trace_places.ts";

const nanosPerSecond = 1_000_000_000n;
/** Blocks of a job after the first, which has the newest alone: often that is enough. */
const blocksPerJobMax = 16;
/** Traces that are not decided yet, before it is looked where else they are. 24 bytes each. */
const undecidedMax = 1 << 18;
/** Traces that are put together at a time. */
const joinedAtOnceMax = 64;
/** A search whose newest traces turned out not to match is made again for more of them, at most this often. */
const attemptsMax = 4;

/** Where a part was found that matches by itself. */
type Source = { kind: "live" } | { kind: "row"; meta: BlockMeta; group: number; row: number };

interface Candidate {
  id: Uint8Array;
  /** When it began, as far as is known. */
  start: bigint;
  sources: Source[];
  /** Whether it is known where else it is. */
  isSettled: boolean;
  /** Of a settled one: what is shown of it; null where it does not match as a whole. */
  summary: Summary | null;
}

export class SearchRun {
  readonly #request: SearchRequest;
  readonly #plan: SearchPlan;
  readonly #query: QueryText;
  readonly #signal: AbortSignal;
  readonly #sources: SearchSources;
  readonly #places: TracePlaces;
  readonly #window: TimeWindow;
  readonly #report: ReportOptions;
  /** By id in hex. */
  readonly #candidates = new Map<string, Candidate>();
  /** Parts that may match together with others. */
  #undecided: Parts[] = [];
  #undecidedCount = 0;
  /** So many of the newest parts are wanted: more than traces where some turn out not to match. */
  #wanted: number;
  /** When the oldest of the wanted parts began: older ones are not asked for. */
  #since = 0n;
  #newest: BigUint64Array<ArrayBuffer> = new BigUint64Array(0);
  /** Of parts that began earlier than this, some source may have left out some because it had found enough. */
  #complete = 0n;
  /** What progress() has given. */
  readonly #shown = new Map<string, Summary>();
  readonly #metrics: SearchMetrics = {
    inspectedTraces: 0,
    inspectedBytes: 0,
    totalBlocks: 0,
    completedJobs: 0,
    totalJobs: 0,
    totalBlockBytes: 0,
    inspectedSpans: 0,
  };
  /** One settling at a time. */
  #settling: Promise<Candidate[]> = Promise.resolve([]);

  constructor(request: SearchRequest, plan: SearchPlan, signal: AbortSignal, sources: SearchSources) {
    this.#request = request;
    this.#plan = plan;
    this.#query = queryText(request.query);
    this.#signal = signal;
    this.#sources = sources;
    this.#places = new TracePlaces(request, signal, sources);
    this.#wanted = request.limit;
    this.#window = {
      startNanos: BigInt(request.start) * nanosPerSecond,
      endNanos: BigInt(request.end) * nanosPerSecond,
    };
    this.#report = {
      spansPerSpanSet: request.spansPerSpanSet,
      spanSets: request.spanSets,
    };
  }

  metrics(): SearchMetrics {
    return { ...this.#metrics };
  }

  /** The whole answer, newest first. */
  async run(): Promise<FoundSummary[]> {
    if (this.#plan.necessary.kind === "never") return [];
    for (let attempt = 1; ; attempt++) {
      await this.#searchAll();
      const found = await this.#settle();
      const oldest = found[this.#request.limit - 1];
      const isComplete = (start: bigint): boolean => start >= this.#complete && start >= this.#since;
      if (isComplete(0n) || (oldest && isComplete(oldest.start)) || attempt === attemptsMax) {
        return found.map(({ summary }) => summary!);
      }
      // Something was left out for the sake of parts that belong to older traces, or to none that match.
      this.#wanted = attempt === attemptsMax - 1 ? Number.MAX_SAFE_INTEGER : this.#wanted * 4 + 64;
      // Whatever began later than the oldest has no part that began earlier than that.
      this.#since = oldest?.start ?? 0n;
      this.#newest = new BigUint64Array(0);
      this.#complete = 0n;
    }
  }

  /** What has been found since the last time, as whole as it will get. */
  async progress(): Promise<FoundSummary[]> {
    const found = await this.#settle();
    const fresh: FoundSummary[] = [];
    for (const { summary } of found) {
      if (summary === null || this.#shown.get(summary.traceId) === summary) continue;
      this.#shown.set(summary.traceId, summary);
      fresh.push(summary);
    }
    return fresh;
  }

  get #terms(): Asked<SearchTerms> {
    return { query: this.#query, window: this.#window, limit: this.#wanted, since: this.#since };
  }

  async #searchAll(): Promise<void> {
    const { live } = this.#sources;
    await Promise.all(
      this.#request.tenants.map(async (tenant) => {
        this.#metrics.totalJobs++;
        for (const parts of await live.search(tenant, this.#terms, this.#signal)) {
          if (parts.inspectedTraces > 0) this.#places.liveTenants.add(tenant);
          this.#noteLeftOut(parts);
          this.#addLive(parts);
        }
        this.#metrics.completedJobs++;
      }),
    );
    await this.#places.askHeads();
    // A block is listed before the head that it was written from is dropped: asked in this order, nothing falls between.
    const metas = this.#places.blocks(0);
    const splitting = this.#places.findSplit();
    // Only what needs whole traces has to wait for which those are.
    if (this.#plan.needsWholeTrace) await splitting;
    await Promise.all([splitting, this.#searchBlocks(metas)]);
  }

  async #searchBlocks(metas: BlockMeta[]): Promise<void> {
    const { stored } = this.#sources;
    this.#metrics.totalBlocks = metas.length;
    this.#metrics.totalJobs += metas.length;
    this.#metrics.totalBlockBytes = metas.reduce((sum, { size }) => sum + size, 0);
    const queues: BlockMeta[][] = Array.from({ length: stored.workers }, () => []);
    for (const meta of [...metas].sort(newerFirst)) queues[stored.workerOf(meta)]!.push(meta);
    await Promise.all(
      queues.map(async (queue, worker) => {
        let atOnce = 1;
        while (queue.length > 0) {
          const next = queue.splice(0, atOnce);
          atOnce = blocksPerJobMax;
          const wanted = next.filter((meta) => endNanosOf(meta) >= this.#since);
          if (wanted.length > 0) {
            const parts = await stored.search(
              worker,
              { ...this.#terms, metas: wanted, split: this.#places.split },
              this.#signal,
            );
            this.#noteLeftOut(parts);
            this.#addStored(parts, wanted);
            if (this.#undecidedCount > undecidedMax) await this.#locateUndecided();
          }
          this.#metrics.completedJobs += next.length;
        }
      }),
    );
  }

  /**
   * A source gives the newest parts, as many as are wanted, of each of its heads or row groups, and none older than the newest so many of
   * all of them.
   */
  #noteLeftOut({ matched: { starts } }: FoundParts): void {
    if (starts.length < this.#wanted) return;
    const oldest = starts.slice().sort()[starts.length - this.#wanted]!;
    if (oldest > this.#complete) this.#complete = oldest;
  }

  #addLive(parts: FoundParts): void {
    this.#add(parts, () => ({ kind: "live" }));
  }

  #addStored(parts: StoredParts, metas: readonly BlockMeta[]): void {
    const { places } = parts;
    this.#add(parts, (i) => ({
      kind: "row",
      meta: metas[places[i * 3]!]!,
      group: places[i * 3 + 1]!,
      row: places[i * 3 + 2]!,
    }));
  }

  #add(found: FoundParts, sourceOf: (i: number) => Source): void {
    this.#metrics.inspectedTraces += found.inspectedTraces;
    this.#metrics.inspectedSpans += found.inspectedSpans;
    this.#metrics.inspectedBytes += found.inspectedBytes;
    const { ids, starts } = found.matched;
    const fresh = starts.filter((start, i) => this.#addCandidate(traceIdAt(ids, i), start, sourceOf(i)));
    this.#note(fresh);
    if (found.undecided.starts.length === 0) return;
    this.#undecided.push(found.undecided);
    this.#undecidedCount += found.undecided.starts.length;
  }

  /** @returns whether it is the first part of its trace */
  #addCandidate(id: Uint8Array, start: bigint, source: Source | null): boolean {
    if (start < this.#since) return false;
    const key = hexOf(id);
    const known = this.#candidates.get(key);
    if (known === undefined) {
      const sources = source === null ? [] : [source];
      this.#candidates.set(key, { id: id.slice(), start, sources, isSettled: false, summary: null });
      return true;
    }
    if (known.isSettled) return false;
    if (start < known.start) known.start = start;
    if (source !== null && !known.sources.some((other) => isSame(other, source))) known.sources.push(source);
    return false;
  }

  /** Keeps when the newest traces began, as far as is known, and with enough of them stops asking for older ones. */
  #note(starts: BigUint64Array<ArrayBuffer>): void {
    if (starts.length === 0 || this.#wanted === Number.MAX_SAFE_INTEGER) return;
    const all = joinArrays([this.#newest, starts], (length) => new BigUint64Array(length));
    this.#newest = all.sort().slice(-this.#wanted);
    if (this.#newest.length === this.#wanted && this.#newest[0]! > this.#since)
      this.#since = this.#newest[0]!;
  }

  /** Settles what may be among the newest traces. Returns those, newest first, as far as is known now. */
  #settle(): Promise<Candidate[]> {
    this.#settling = this.#settling.then(() => this.#settleNow());
    return this.#settling;
  }

  async #settleNow(): Promise<Candidate[]> {
    await this.#locateUndecided();
    for (;;) {
      const newest = this.#newestCandidates();
      const open = newest.filter(({ isSettled }) => !isSettled);
      if (open.length === 0) return newest;
      await this.#settleAll(open);
    }
  }

  /** The newest candidates that are not known to be none, as many as are asked for. */
  #newestCandidates(): Candidate[] {
    const possible = [...this.#candidates.values()].filter(
      ({ isSettled, summary }) => !isSettled || summary !== null,
    );
    return possible.sort(compareCandidates).slice(0, this.#request.limit);
  }

  /** Keeps of the undecided those whose trace has other parts elsewhere; the others do not match. */
  async #locateUndecided(): Promise<void> {
    const taken = joinParts(this.#undecided);
    this.#undecided = [];
    this.#undecidedCount = 0;
    if (taken.starts.length === 0) return;
    for (const i of await this.#places.inSeveral(taken.ids)) {
      this.#addCandidate(traceIdAt(taken.ids, i), taken.starts[i]!, null);
    }
  }

  /** Finds out where candidates lie, and what is shown of them. */
  async #settleAll(candidates: readonly Candidate[]): Promise<void> {
    const isInRow = ({ sources }: Candidate) => sources.length === 1 && sources[0]!.kind === "row";
    const inOneRow = candidates.filter(isInRow);
    // Most of them lie in that row and nowhere else, so what it shows is asked for before that is known.
    const [elsewhere, reports] = await Promise.all([
      this.#places.inSeveral(joinedIds(candidates)).then((places) => new Set(places)),
      this.#reportRows(inOneRow),
    ]);
    const split: Candidate[] = [];
    for (const [i, candidate] of candidates.entries()) {
      const isWhole = !elsewhere.has(i) && isInRow(candidate);
      // A block that was deleted meanwhile has nothing to show.
      if (isWhole) settle(candidate, reports.get(hexOf(candidate.id)) ?? null);
      else split.push(candidate);
    }
    await this.#reportSplit(split);
  }

  /** What the rows of candidates show, by id. */
  async #reportRows(candidates: readonly Candidate[]): Promise<Map<string, Summary>> {
    const { stored } = this.#sources;
    const workers = Array.from({ length: stored.workers }, () => new Map<BlockMeta, Map<number, number[]>>());
    for (const { sources } of candidates) {
      const source = sources[0]!;
      if (source.kind !== "row") continue;
      const blocks = workers[stored.workerOf(source.meta)]!;
      const groups = blocks.get(source.meta) ?? new Map<number, number[]>();
      blocks.set(source.meta, groups);
      const rows = groups.get(source.group);
      if (rows) rows.push(source.row);
      else groups.set(source.group, [source.row]);
    }
    // One call for each worker: it goes through its blocks one by one, in the memory of one.
    const reports = [...workers.entries()]
      .filter(([, blocks]) => blocks.size > 0)
      .map(([worker, blocks]) =>
        stored.reportRows(
          worker,
          {
            query: this.#query,
            options: this.#report,
            metas: [...blocks.keys()],
            blockRows: [...blocks.values()].map((groups) =>
              [...groups].map(([group, rows]) => ({ group, rows: rows.sort((a, b) => a - b) })),
            ),
          },
          this.#signal,
        ),
      );
    const found = new Map<string, Summary>();
    for (const { summaries, inspectedBytes } of await Promise.all(reports)) {
      this.#metrics.inspectedBytes += inspectedBytes;
      for (const summary of summaries) found.set(summary.traceId, summary);
    }
    return found;
  }

  /** Traces that lie in several places, or in heads: put together, some at a time. */
  async #reportSplit(candidates: readonly Candidate[]): Promise<void> {
    const { stored } = this.#sources;
    for (let at = 0; at < candidates.length; at += joinedAtOnceMax) {
      const some = candidates.slice(at, at + joinedAtOnceMax);
      const { parts, inspectedBytes } = await this.#places.partsOf(joinedIds(some));
      this.#metrics.inspectedBytes += inspectedBytes;
      const { summaries } = await stored.reportTraces(
        { query: this.#query, options: this.#report, window: this.#window, parts },
        this.#signal,
      );
      const byId = new Map(summaries.map((summary) => [summary.traceId, summary]));
      for (const candidate of some) settle(candidate, byId.get(hexOf(candidate.id)) ?? null);
    }
  }
}

function settle(candidate: Candidate, summary: Summary | null): void {
  candidate.isSettled = true;
  candidate.summary = summary;
  if (summary !== null) candidate.start = summary.startNanos;
}

function isSame(a: Source, b: Source): boolean {
  if (a.kind === "live" || b.kind === "live") return a.kind === b.kind;
  return a.meta === b.meta && a.group === b.group && a.row === b.row;
}

/** Newest first; of two that began at once, the one with the lower id. */
function compareCandidates(a: Candidate, b: Candidate): number {
  if (a.start !== b.start) return a.start > b.start ? -1 : 1;
  return Buffer.compare(a.id, b.id);
}

/** By the time that a block ends. */
function newerFirst(a: BlockMeta, b: BlockMeta): number {
  const [endA, endB] = [endNanosOf(a), endNanosOf(b)];
  if (endA !== endB) return endA > endB ? -1 : 1;
  return a.blockID < b.blockID ? -1 : 1;
}

/** No trace of the block ends, or begins, after this. Metas hold whole seconds. */
function endNanosOf({ startTime, endTime }: BlockMeta): bigint {
  const ms = Math.max(Date.parse(startTime), Date.parse(endTime));
  // A time that cannot be read must not hide the block.
  return Number.isFinite(ms) ? BigInt(ms + 1000) * 1_000_000n : 1n << 64n;
}

function joinedIds(candidates: readonly Candidate[]): Uint8Array {
  return joinArrays(
    candidates.map(({ id }) => id),
    (length) => new Uint8Array(length),
  );
}

function hexOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString("hex");
}
