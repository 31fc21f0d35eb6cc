// One search under way. Sources give parts of traces; those that may be among the newest are looked for everywhere, and a trace that
// lies in several places is put together before anyone says whether it matches, when it began, and what is shown of it.
import { pickTraceIds, traceIdWords } from "../batch/trace_ids.ts";
import type { BlockMeta } from "../block/meta.ts";
import { queuesOf } from "../jobs/block_shares.ts";
import { type QueryText, queryText } from "../jobs/query_text.ts";
import {
  type BlockRows,
  type FoundParts,
  joinArrays,
  joinParts,
  type Parts,
  type SearchTerms,
  type StoredParts,
} from "../jobs/search_job.ts";
import type { SearchPlan } from "../search/plan.ts";
import type { TimeWindow } from "../search/projection.ts";
import { answerBytesMax, answerTooLarge, QueryTooLarge } from "../search/query_error.ts";
import type { ReportOptions, Summary } from "../search/report.ts";
import type { AnswerMemory } from "./answer_memory.ts";
import { type BlockRow, Candidates, candidatesMax, type Source } from "./candidates.ts";
import type { Asked } from "./search_engine.ts";
import {
  type FoundSummary,
  noSearchMetrics,
  type SearchMetrics,
  type SearchRequest,
} from "./search_types.ts";
import { type SearchSources, TracePlaces } from "./trace_places.ts";

const nanosPerSecond = 1_000_000_000n;
/** Blocks of the second job; the first has the newest alone: often that is enough. Each later one has twice as many as the one before. */
const blocksPerJobMin = 16;
const blocksPerJobMax = 64;
/** Traces that are not decided yet, before it is looked where else they are. 24 bytes each. */
const undecidedMax = 1 << 18;
/** Traces that are put together at a time, and bytes of their parts; a larger trace is put together alone. */
const joinedAtOnceMax = 64;
const joinedBytesMax = 16 << 20;
/** Rows that one job shows, so that no answer of a worker is huge. */
const reportedRowsMax = 1000;
/** Where traces turn out not to match, so many more than are asked for are looked at together, and twice as many each time. */
const aheadMin = 64;
const aheadMax = 4096;
/** A search whose newest traces turned out not to match is made again for more of them, at most this often. */
const attemptsMax = 4;
/** The last time for so many; with more than these it is refused. */
const wantedMax = candidatesMax / 2;

export class SearchRun {
  readonly #request: SearchRequest;
  readonly #plan: SearchPlan;
  readonly #query: QueryText;
  readonly #signal: AbortSignal;
  readonly #sources: SearchSources;
  /** Of all searches. Who runs this one releases what it holds there. */
  readonly #answers: AnswerMemory;
  readonly #places: TracePlaces;
  readonly #window: TimeWindow;
  readonly #report: Omit<ReportOptions, "bytesMax">;
  readonly #candidates = new Candidates();
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
  readonly #shown = new WeakSet<Summary>();
  /** Bytes of the largest summary so far. */
  #summaryBytes = 1;
  readonly #metrics: SearchMetrics = { ...noSearchMetrics };
  readonly #found = Promise.withResolvers<void>();
  /** One settling at a time. */
  #settling: Promise<Summary[]> = Promise.resolve([]);

  constructor(
    request: SearchRequest,
    plan: SearchPlan,
    signal: AbortSignal,
    sources: SearchSources,
    answers: AnswerMemory,
  ) {
    this.#request = request;
    this.#plan = plan;
    this.#query = queryText(request.query);
    this.#signal = signal;
    this.#sources = sources;
    this.#answers = answers;
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

  /** Resolves when there is something that progress() can show without looking through all blocks for it. */
  get found(): Promise<void> {
    return this.#found.promise;
  }

  /**
   * The whole answer, newest first.
   *
   * @throws QueryTooLarge
   */
  async run(): Promise<FoundSummary[]> {
    if (this.#plan.necessary.kind === "never") return [];
    for (let attempt = 1; ; attempt++) {
      await this.#searchAll();
      const found = await this.#settle();
      const oldest = found[this.#request.limit - 1];
      const isComplete = (start: bigint): boolean => start >= this.#complete && start >= this.#since;
      if (isComplete(0n) || (oldest && isComplete(oldest.startNanos))) return found;
      // Something was left out for the sake of parts that belong to older traces, or to none that match.
      if (attempt === attemptsMax) {
        throw new QueryTooLarge(
          `of the ${this.#wanted} newest traces that may match too few do: search a shorter time, or ask for fewer traces by limit`,
        );
      }
      const most = Math.max(wantedMax, this.#request.limit);
      this.#wanted = attempt === attemptsMax - 1 ? most : Math.min(this.#wanted * 4 + 64, most);
      // Whatever began later than the oldest has no part that began earlier than that.
      this.#since = oldest?.startNanos ?? 0n;
      this.#newest = new BigUint64Array(0);
      this.#complete = 0n;
    }
  }

  /** What has been found since the last time, as whole as it will get. */
  async progress(): Promise<FoundSummary[]> {
    const fresh = (await this.#settle()).filter((summary) => !this.#shown.has(summary));
    for (const summary of fresh) this.#shown.add(summary);
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
    const splitting = this.#places.isFiltered ? Promise.resolve() : this.#places.findSplit();
    // Only what needs whole traces has to wait for which those are.
    if (this.#plan.needsWholeTrace) await splitting;
    await Promise.all([splitting.then(() => this.#tellFound()), this.#searchBlocks(metas)]);
  }

  async #searchBlocks(metas: BlockMeta[]): Promise<void> {
    const { stored } = this.#sources;
    this.#metrics.totalBlocks = metas.length;
    this.#metrics.totalBlockBytes = metas.reduce((sum, { size }) => sum + size, 0);
    const queues = queuesOf([...metas].sort(newerFirst), stored.workers, (meta) => stored.workerOf(meta));
    this.#metrics.totalJobs += queues.reduce((sum, { length }) => sum + length, 0);
    await Promise.all(
      queues.map(async (queue, worker) => {
        let atOnce = 1;
        while (queue.length > 0) {
          const next = queue.splice(0, atOnce);
          atOnce = Math.min(Math.max(atOnce * 2, blocksPerJobMin), blocksPerJobMax);
          const wanted = next.filter((meta) => endNanosOf(meta) >= this.#since);
          if (wanted.length > 0) {
            const parts = await stored.search(
              worker,
              {
                ...this.#terms,
                metas: wanted,
                share: { part: worker, of: stored.workers },
                split: this.#places.split,
              },
              this.#signal,
            );
            this.#noteLeftOut(parts);
            this.#addStored(parts, wanted);
            if (this.#undecidedCount > undecidedMax) await this.#locateUndecided();
            if (this.#candidates.size > candidatesMax / 2) await this.#dropOlder();
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
    this.#add(parts, () => null);
  }

  #addStored(parts: StoredParts, metas: readonly BlockMeta[]): void {
    const { places } = parts;
    this.#add(parts, (i) => ({
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
    const words = traceIdWords(ids);
    const fresh = starts.filter((start, i) => this.#addCandidate(words, i, start, sourceOf(i)));
    this.#tellFound();
    this.#note(fresh);
    if (found.undecided.starts.length === 0) return;
    this.#undecided.push(found.undecided);
    this.#undecidedCount += found.undecided.starts.length;
  }

  #tellFound(): void {
    const canBeShown = this.#places.split !== null || this.#places.isFiltered;
    if (this.#candidates.size > 0 && canBeShown) this.#found.resolve();
  }

  /** @returns whether it is the first part of its trace */
  #addCandidate(words: Uint32Array, place: number, start: bigint, source: Source | undefined): boolean {
    return start >= this.#since && this.#candidates.add(words, place, start, source);
  }

  /** Keeps when the newest traces began, as far as is known, and with enough of them stops asking for older ones. */
  #note(starts: BigUint64Array<ArrayBuffer>): void {
    if (starts.length === 0) return;
    const all = joinArrays([this.#newest, starts], (length) => new BigUint64Array(length));
    this.#newest = all.sort().slice(-this.#wanted);
    if (this.#newest.length === this.#wanted && this.#newest[0]! > this.#since)
      this.#since = this.#newest[0]!;
  }

  /** Settles what may be among the newest traces. Returns those, newest first, as far as is known now. */
  #settle(): Promise<Summary[]> {
    this.#settling = this.#settling.then(() => this.#settleNow());
    return this.#settling;
  }

  /** Forgets candidates that can't be among the newest, when none is being settled. */
  #dropOlder(): Promise<Summary[]> {
    this.#settling = this.#settling.then((found) => {
      this.#candidates.dropOlder(this.#since);
      return found;
    });
    return this.#settling;
  }

  async #settleNow(): Promise<Summary[]> {
    await this.#locateUndecided();
    const { limit } = this.#request;
    for (let ahead = 0; ; ahead = this.#further(ahead)) {
      const newest = this.#candidates.newest(limit + ahead);
      this.#candidates.keepSummariesOf(newest);
      const shown = newest.slice(0, limit);
      if (!shown.some((candidate) => this.#candidates.isOpen(candidate))) {
        return shown.map((candidate) => this.#candidates.summaryOf(candidate));
      }
      await this.#settleAll(newest.filter((candidate) => this.#candidates.isOpen(candidate)));
    }
  }

  /** How many more are settled the next time: no more than the answer would have room for. */
  #further(ahead: number): number {
    const room = Math.floor((answerBytesMax - this.#candidates.shownBytes) / this.#summaryBytes);
    return Math.min(Math.max(ahead * 2, aheadMin), aheadMax, room);
  }

  /** Keeps of the undecided those whose trace has other parts elsewhere; the others do not match. */
  async #locateUndecided(): Promise<void> {
    const taken = notOlder(joinParts(this.#undecided), this.#since);
    this.#undecided = [];
    this.#undecidedCount = 0;
    if (taken.starts.length === 0) return;
    const words = traceIdWords(taken.ids);
    for (const i of await this.#places.inSeveral(taken.ids)) {
      this.#addCandidate(words, i, taken.starts[i]!, undefined);
    }
  }

  /** Finds out where candidates lie, and what is shown of them. */
  async #settleAll(candidates: readonly number[]): Promise<void> {
    const { stored } = this.#sources;
    const rows: number[][] = Array.from({ length: stored.workers }, () => []);
    for (const candidate of candidates) {
      const row = this.#candidates.rowOf(candidate);
      if (row !== undefined) rows[stored.workerOf(row.meta)]!.push(candidate);
    }
    // Most of them lie in that row and nowhere else, so what it shows is asked for before that is known.
    const elsewhere = this.#places
      .inSeveral(this.#candidates.idsOf(candidates))
      .then((places) => new Set(places.map((i) => candidates[i]!)));
    await Promise.all([elsewhere, ...rows.map((own, worker) => this.#settleRows(worker, own, elsewhere))]);
    await this.#settleSplit(candidates.filter((candidate) => this.#candidates.isOpen(candidate)));
  }

  /** Settles those that lie in one row and not elsewhere. */
  async #settleRows(worker: number, candidates: number[], elsewhere: Promise<Set<number>>): Promise<void> {
    const sorted = this.#candidates.sortByRow(candidates);
    for (let at = 0; at < sorted.length; at += reportedRowsMax) {
      const some = sorted.slice(at, at + reportedRowsMax);
      const rows = some.map((candidate) => this.#candidates.rowOf(candidate)!);
      const { summaries, inspectedBytes } = await this.#sources.stored.reportRows(
        worker,
        { query: this.#query, options: this.#options, ...blockRowsOf(rows) },
        this.#signal,
      );
      this.#metrics.inspectedBytes += inspectedBytes;
      const others = await elsewhere;
      // A block that was deleted meanwhile has nothing to show.
      this.#settleWith(
        some.filter((candidate) => !others.has(candidate)),
        summaries,
      );
    }
  }

  /** Settles those whose traces lie in several places, or in heads: put together, some at a time. */
  async #settleSplit(candidates: readonly number[]): Promise<void> {
    for (let at = 0; at < candidates.length; ) {
      const ids = this.#candidates.idsOf(candidates.slice(at, at + joinedAtOnceMax));
      const { parts, count, inspectedBytes } = await this.#places.partsOf(ids, joinedBytesMax);
      this.#metrics.inspectedBytes += inspectedBytes;
      const { summaries } = await this.#sources.stored.reportTraces(
        { query: this.#query, options: this.#options, window: this.#window, parts },
        this.#signal,
      );
      this.#settleWith(candidates.slice(at, at + count), summaries);
      at += count;
    }
  }

  get #options(): ReportOptions {
    return { ...this.#report, bytesMax: answerBytesMax - this.#candidates.shownBytes };
  }

  /** @throws QueryTooLarge if the answer takes too much with these summaries */
  #settleWith(candidates: readonly number[], summaries: readonly Summary[]): void {
    // Nothing is held any more for a search that has ended.
    this.#signal.throwIfAborted();
    const byId = new Map(summaries.map((summary) => [summary.traceId, summary]));
    for (const candidate of candidates) {
      const summary = byId.get(this.#candidates.hexOf(candidate)) ?? null;
      this.#candidates.settle(candidate, summary);
      this.#summaryBytes = Math.max(this.#summaryBytes, summary?.message.length ?? 0);
    }
    if (this.#candidates.shownBytes > answerBytesMax) throw answerTooLarge();
    this.#answers.hold(this, this.#candidates.shownBytes);
  }
}

/** Rows, which are in the order of blocks and row groups, by these. */
function blockRowsOf(rows: readonly BlockRow[]): { metas: BlockMeta[]; blockRows: BlockRows[] } {
  const metas: BlockMeta[] = [];
  const blockRows: BlockRows[] = [];
  for (const { meta, group, row } of rows) {
    if (metas.at(-1) !== meta) {
      metas.push(meta);
      blockRows.push([]);
    }
    const groups = blockRows.at(-1)!;
    if (groups.at(-1)?.group !== group) groups.push({ group, rows: [] });
    groups.at(-1)!.rows.push(row);
  }
  return { metas, blockRows };
}

/** By the time that a block ends. */
/** Parts that began earlier are not wanted. */
function notOlder(parts: Parts, since: bigint): Parts {
  const { ids, starts } = parts;
  const kept = [...starts.keys()].filter((i) => starts[i]! >= since);
  if (kept.length === starts.length) return parts;
  return { ids: pickTraceIds(ids, kept), starts: starts.filter((start) => start >= since) };
}

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
