import { describe, expect, test } from "bun:test";
import { SpanBatch } from "../batch/span_batch.ts";
import { request, span } from "../batch/wire_fixture.ts";
import type { BlockMeta } from "../block/meta.ts";
import { planOf } from "../jobs/query_text.ts";
import { type FirstTraces, type FoundParts, joinFound, type Parts } from "../jobs/search_job.ts";
import { planSearch } from "../search/plan.ts";
import type { Summary } from "../search/report.ts";
import { searchHead } from "../search/search_head.ts";
import { parse } from "../traceql/index.ts";
import { AnswerMemory } from "./answer_memory.ts";
import { type LiveSearch, SearchEngine, type StoredSearch } from "./search_engine.ts";
import { SearchRun } from "./search_run.ts";
import type { FoundSummary, SearchAnswer, SearchRequest } from "./search_types.ts";
import type { SearchSources } from "./trace_places.ts";

/** A part of a trace, as a head or a block has it. */
interface Part {
  trace: number;
  /** Unix seconds. */
  start: number;
  /** Whether it matches by itself; if not, it may together with others. */
  matches: boolean;
}

interface StoredBlock {
  name: string;
  tenant: string;
  /** Unix seconds. */
  end: number;
  worker: number;
  parts: Part[];
}

const idBytes = 16;
const nanosOf = (seconds: number): bigint => BigInt(Math.round(seconds * 1000)) * 1_000_000n;
const secondsOf = (nanos: bigint): number => Number(nanos / 1_000_000n) / 1000;
const part = (trace: number, start: number): Part => ({ trace, start, matches: true });
/** A part that may match together with others. */
const open = (trace: number, start: number): Part => ({ trace, start, matches: false });

function idOf(trace: number): Uint8Array<ArrayBuffer> {
  const id = new Uint8Array(idBytes);
  new DataView(id.buffer).setUint32(12, trace);
  return id;
}

function tracesOf(ids: Uint8Array): number[] {
  return Array.from({ length: ids.length / idBytes }, (_, i) =>
    new DataView(ids.buffer, ids.byteOffset + i * idBytes).getUint32(12),
  );
}

function joined(arrays: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(arrays));
}

function partsOf(parts: readonly Part[]): Parts {
  return {
    ids: joined(parts.map(({ trace }) => idOf(trace))),
    starts: BigUint64Array.from(parts, ({ start }) => nanosOf(start)),
  };
}

/** In place of OTLP: the id, and when the part began. */
function bytesOf({ trace, start }: Part): Uint8Array<ArrayBuffer> {
  return joined([idOf(trace), new Uint8Array(BigUint64Array.of(nanosOf(start)).buffer)]);
}

/**
 * Heads and blocks full of parts, which answer as the real ones do: the newest of what matches and all that began with the last of
 * these, nothing that began before `since`. What a trace shows is how many parts it was put together from.
 */
class World implements SearchSources {
  /** By tenant. */
  readonly heads: Record<string, Part[][]> = {};
  readonly blocks: StoredBlock[] = [];
  filters: SearchSources["filters"] = null;
  /** Traces that do not match once they are whole. */
  readonly failing = new Set<number>();
  /** False: which traces are split can't be told, and is looked up. */
  tellsSplit = true;
  /** Bytes of the parts of a trace, where more is wanted than it takes to tell them. */
  readonly partBytes = new Map<number, number>();
  /** Likewise of what is shown of it. */
  readonly shownBytes = new Map<number, number>();
  /** Names of blocks that have been deleted, but are still listed. */
  readonly deleted = new Set<string>();
  /** What was asked, in order. */
  readonly asked: string[] = [];
  readonly signals = new Set<AbortSignal>();
  /** Waited for before the answer to what begins like this. */
  readonly holds = new Map<string, Promise<void>>();

  readonly #metas = new Map<string, BlockMeta>();

  head(...parts: Part[]): this {
    return this.headOf("t", ...parts);
  }

  headOf(tenant: string, ...parts: Part[]): this {
    this.heads[tenant] = [...(this.heads[tenant] ?? []), parts];
    return this;
  }

  block(name: string, end: number, ...parts: Part[]): this {
    return this.add({ name, end, parts, tenant: "t", worker: 0 });
  }

  add(block: StoredBlock): this {
    this.blocks.push(block);
    const time = new Date(block.end * 1000).toISOString();
    this.#metas.set(block.name, {
      format: "vParquet4",
      blockID: block.name,
      tenantID: block.tenant,
      startTime: "1970-01-01T00:00:00Z",
      endTime: time,
      totalObjects: block.parts.length,
      size: 100,
      compactionLevel: 0,
      indexPageSize: 0,
      totalRecords: 1,
      bloomShards: 1,
      footerSize: 1,
      dedicatedColumns: [],
      replicationFactor: 1,
    });
    return this;
  }

  async #ask(what: string, signal: AbortSignal): Promise<void> {
    this.asked.push(what);
    this.signals.add(signal);
    for (const [start, held] of this.holds) if (what.startsWith(start)) await held;
    signal.throwIfAborted();
  }

  #blockOf({ blockID }: BlockMeta): StoredBlock {
    return this.blocks.find(({ name }) => name === blockID)!;
  }

  /** Parts of the blocks that are there. */
  #partsIn(metas: readonly BlockMeta[]): Part[][] {
    return metas.map((meta) => (this.deleted.has(meta.blockID) ? [] : this.#blockOf(meta).parts));
  }

  #found(parts: readonly Part[], limit: number, since: bigint): { found: FoundParts; matched: Part[] } {
    const wanted = parts.filter(({ start }) => nanosOf(start) >= since);
    const matching = wanted.filter(({ matches }) => matches);
    const oldest = matching.map(({ start }) => start).sort((a, b) => b - a)[limit - 1] ?? 0;
    const matched = matching.filter(({ start }) => start >= oldest);
    const found = {
      matched: partsOf(matched),
      undecided: partsOf(wanted.filter(({ matches }) => !matches)),
      inspectedTraces: parts.length,
      inspectedSpans: parts.length * 10,
      inspectedBytes: 0,
    };
    return { found, matched };
  }

  #summary(trace: number, start: bigint, text: string): Summary {
    const traceId = Buffer.from(idOf(trace)).toString("hex");
    const bytes = this.shownBytes.get(trace);
    const message = bytes === undefined ? new TextEncoder().encode(text) : new Uint8Array(bytes);
    return { traceId, startNanos: start, endNanos: start, message };
  }

  #bytesOf(part: Part): Uint8Array<ArrayBuffer> {
    const told = bytesOf(part);
    const bytes = new Uint8Array(this.partBytes.get(part.trace) ?? told.length);
    bytes.set(told);
    return bytes;
  }

  readonly list = {
    candidates: (tenant: string, { start, end }: { start?: number; end?: number }): BlockMeta[] => {
      this.asked.push(`list ${tenant} ${start}-${end}`);
      return this.blocks
        .filter((block) => block.tenant === tenant && block.end >= start!)
        .map(({ name }) => this.#metas.get(name)!);
    },
  };

  readonly live: LiveSearch = {
    search: async (tenant, { limit, since }, signal) => {
      await this.#ask(`live ${tenant}`, signal);
      const heads = this.heads[tenant] ?? [];
      return [joinFound(heads.map((parts) => this.#found(parts, limit, since).found))];
    },
    locate: async (tenant, ids, signal) => {
      await this.#ask(`locate live ${tenant}`, signal);
      const heads = this.heads[tenant] ?? [];
      return heads.flatMap((parts) =>
        [...tracesOf(ids).entries()].flatMap(([place, trace]) =>
          parts.some((own) => own.trace === trace) ? [place] : [],
        ),
      );
    },
    traceIds: async (tenant, signal) => {
      await this.#ask(`ids ${tenant}`, signal);
      return (this.heads[tenant] ?? []).map((parts) => joined(parts.map(({ trace }) => idOf(trace))));
    },
    findAll: async (tenant, ids, bytesMax, signal) => {
      await this.#ask(`find live ${tenant} ${tracesOf(ids)}`, signal);
      const found: FirstTraces = { traces: [], places: [], count: 0 };
      let bytes = 0;
      for (const trace of tracesOf(ids)) {
        if (bytes >= bytesMax) break;
        for (const own of (this.heads[tenant] ?? []).flat()) {
          if (own.trace !== trace) continue;
          found.traces.push(this.#bytesOf(own));
          found.places.push(found.count);
          bytes += found.traces.at(-1)!.length;
        }
        found.count++;
      }
      return [found];
    },
  };

  readonly stored: StoredSearch = {
    workers: 2,
    workerOf: (meta) => this.#blockOf(meta).worker,
    search: async (worker, { metas, limit, since }, signal) => {
      const names = metas.map(({ blockID }) => blockID);
      await this.#ask(`search ${worker} ${names.join()} since ${secondsOf(since)}`, signal);
      const places: number[] = [];
      const found = this.#partsIn(metas).map((parts, place) => {
        const { found, matched } = this.#found(parts, limit, since);
        for (const own of matched) places.push(place, 0, parts.indexOf(own));
        return found;
      });
      return { ...joinFound(found), places: Uint32Array.from(places) };
    },
    locate: async (ids, metas, _searched, signal) => {
      await this.#ask("locate", signal);
      const pairs: [number, number][] = [];
      for (const [id, trace] of tracesOf(ids).entries()) {
        for (const [block, parts] of this.#partsIn(metas).entries()) {
          if (parts.some((own) => own.trace === trace)) pairs.push([id, block]);
        }
      }
      return pairs;
    },
    countHolders: async (ids, metas, _searched, signal) => {
      await this.#ask("count", signal);
      const counts = tracesOf(ids).map(
        (trace) => this.#partsIn(metas).filter((parts) => parts.some((own) => own.trace === trace)).length,
      );
      return [Uint8Array.from(counts)];
    },
    splitTraces: async (metas, live, _searched, signal) => {
      await this.#ask("split", signal);
      if (!this.tellsSplit) return null;
      const held = [
        ...tracesOf(live),
        ...this.#partsIn(metas).flatMap((parts) => parts.map((own) => own.trace)),
      ];
      const split = new Set(held.filter((trace, i) => held.indexOf(trace) !== i));
      return joined([...split].map(idOf));
    },
    reportRows: async (worker, { metas, blockRows }, signal) => {
      const parts = this.#partsIn(metas);
      const rows = blockRows.flatMap((groups, block) =>
        groups.flatMap((group) =>
          group.rows.map((row) => parts[block]![row]).filter((own) => own !== undefined),
        ),
      );
      await this.#ask(`rows ${worker} ${rows.map(({ trace }) => trace)}`, signal);
      const summaries = rows.map(({ trace, start }) => this.#summary(trace, nanosOf(start), "row"));
      return { summaries, inspectedBytes: 0 };
    },
    reportTraces: async ({ parts }, signal) => {
      const starts = new Map<number, bigint[]>();
      for (const bytes of parts) {
        const trace = tracesOf(bytes.subarray(0, idBytes))[0]!;
        const start = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(idBytes, true);
        starts.set(trace, [...(starts.get(trace) ?? []), start]);
      }
      await this.#ask(`join ${[...starts.keys()]}`, signal);
      const matching = [...starts].filter(([trace]) => !this.failing.has(trace));
      const summaries = matching.map(([trace, own]) =>
        this.#summary(trace, own.toSorted((a, b) => (a < b ? -1 : 1))[0]!, `${own.length} parts`),
      );
      return { summaries, inspectedBytes: 0 };
    },
    find: async (_tenant, id, metas, _searched, signal) => {
      await this.#ask(`find ${tracesOf(id)}`, signal);
      const [trace] = tracesOf(id);
      const parts = this.#partsIn(metas).flatMap((all) => all.filter((own) => own.trace === trace));
      return { traces: parts.map((own) => this.#bytesOf(own)), inspectedBytes: 7 };
    },
  };

  /** As over a network: filters of all blocks but some, which say of one trace more that a block may have it. */
  filtered({ without = [], mistaken = {} }: { without?: string[]; mistaken?: Record<string, number> } = {}) {
    const blockOf = (meta: BlockMeta) => this.#blockOf(meta);
    this.filters = {
      mayHoldEach: async function* (metas, ids) {
        for (const trace of tracesOf(ids)) {
          const holders = metas.filter((meta) => {
            const { name, parts } = blockOf(meta);
            const isThere = parts.some((own) => own.trace === trace) || mistaken[name] === trace;
            return isThere || without.includes(name);
          });
          yield holders.map((meta) => ({ meta, rows: null }));
        }
      },
    };
    return this;
  }

  /** What was asked of this kind. */
  of(kind: string): string[] {
    return this.asked.filter((what) => what.startsWith(kind));
  }
}

const wholeTraces = "{ span.a = 1 } >> { span.b = 1 }";
const filter = "{ span.a = 1 }";
const never = new AbortController().signal;

function requestOf(over: Partial<SearchRequest> & { text?: string } = {}): SearchRequest {
  const { text = filter, ...request } = over;
  return {
    tenants: ["t"],
    query: parse(text),
    start: 1,
    end: 100_000,
    limit: 20,
    spansPerSpanSet: 3,
    spanSets: true,
    progress: false,
    ...request,
  };
}

function runOn(world: World, over: Parameters<typeof requestOf>[0] = {}, signal = never): SearchRun {
  const request = requestOf(over);
  return new SearchRun(request, planSearch(request.query), signal, world, new AnswerMemory());
}

/** Each trace as "trace@start what it shows". */
function shown(traces: readonly FoundSummary[]): string[] {
  return traces.map(
    ({ traceId, startNanos, message }) =>
      `${Number.parseInt(traceId, 16)}@${secondsOf(startNanos)} ${new TextDecoder().decode(message)}`,
  );
}

async function search(world: World, over: Parameters<typeof requestOf>[0] = {}): Promise<string[]> {
  return shown(await runOn(world, over).run());
}

describe("SearchRun: which traces", () => {
  test("of heads and blocks, newest first", async () => {
    const world = new World()
      .head(part(1, 100))
      .block("a", 95, part(2, 90), part(3, 95))
      .block("b", 99, part(4, 99));
    expect(await search(world)).toEqual(["1@100 1 parts", "4@99 row", "3@95 row", "2@90 row"]);
  });

  test("of those that began at once the ones with the lowest ids, as many as are asked for", async () => {
    const world = new World()
      .block("a", 90, part(5, 90), part(9, 90))
      .block("b", 90, part(2, 90), part(7, 90));
    expect(await search(world, { limit: 3 })).toEqual(["2@90 row", "5@90 row", "7@90 row"]);
    expect(await search(world, { limit: 1 })).toEqual(["2@90 row"]);
    expect((await search(world, { limit: 4 })).length).toBe(4);
  });

  test("none, and asks nobody, where nothing can match", async () => {
    const world = new World().head(part(1, 100));
    expect(await search(world, { text: "{ false }" })).toEqual([]);
    expect(world.asked).toEqual([]);
  });

  test("none where nothing is", async () => {
    expect(await search(new World())).toEqual([]);
  });

  test("of spans without a time too", async () => {
    const world = new World().block("a", 90, part(1, 0), part(2, 0), part(3, 0));
    expect(await search(world, { limit: 2 })).toEqual(["1@0 row", "2@0 row"]);
  });

  test("of every tenant, whose parts of one trace are put together", async () => {
    const world = new World()
      .headOf("t", part(1, 100))
      .headOf("u", part(1, 90), part(2, 80))
      .add({ name: "a", tenant: "u", end: 70, worker: 1, parts: [part(3, 70)] });
    expect(await search(world, { tenants: ["t", "u"] })).toEqual([
      "1@90 2 parts",
      "2@80 1 parts",
      "3@70 row",
    ]);
    expect(await search(world, { tenants: ["t"] })).toEqual(["1@100 1 parts"]);
  });
});

describe("SearchRun: whom it asks", () => {
  test("heads first, and lists blocks when those have answered", async () => {
    const world = new World().head(part(1, 100)).block("a", 90);
    await search(world, { start: 5000, end: 9000 });
    expect(world.asked.slice(0, 5)).toEqual([
      "live t",
      "ids t",
      "list t 5000-9000",
      "list t 1400-12600", // other parts may lie an hour away
      "split",
    ]);
  });

  test("blocks by the time that they end, the newest alone, and no more once the limit is reached", async () => {
    const world = new World();
    for (let n = 1; n <= 30; n++) world.block(`b${n}`, 100 * n, part(n, 100 * n));
    expect(await search(world, { limit: 2 })).toEqual(["30@3000 row", "29@2900 row"]);
    expect(world.of("search")).toEqual([
      "search 0 b30 since 0",
      `search 0 ${Array.from({ length: 16 }, (_, i) => `b${29 - i}`).join()} since 0`,
    ]);
  });

  test("a block that ends in the very second of the oldest trace that is wanted", async () => {
    const world = new World()
      .block("a", 200, part(1, 100.5))
      .block("b", 100, part(2, 100.7))
      .block("c", 99, part(3, 99));
    expect(await search(world, { limit: 1 })).toEqual(["2@100.7 row"]);
    expect(world.of("search")).toEqual(["search 0 a since 0", "search 0 b since 100.5"]);
  });

  test("nothing older of the second job than what the first has found", async () => {
    const world = new World()
      .head(part(1, 50), part(2, 60))
      .block("a", 70, part(3, 55))
      .block("b", 65, part(4, 40));
    expect(await search(world, { limit: 2 })).toEqual(["2@60 1 parts", "3@55 row"]);
    expect(world.of("search")).toEqual(["search 0 a since 50", "search 0 b since 55"]);
  });

  test("each worker for its own blocks", async () => {
    const world = new World()
      .add({ name: "a", tenant: "t", end: 90, worker: 1, parts: [part(1, 90)] })
      .add({ name: "b", tenant: "t", end: 80, worker: 0, parts: [part(2, 80)] });
    expect(await search(world)).toEqual(["1@90 row", "2@80 row"]);
    expect(world.of("search").toSorted()).toEqual(["search 0 b since 0", "search 1 a since 0"]);
    expect(world.of("rows").toSorted()).toEqual(["rows 0 2", "rows 1 1"]);
  });

  test("only for what is among the newest where else it lies", async () => {
    const world = new World().block("a", 100, part(1, 100), part(2, 90), part(3, 80));
    world.tellsSplit = false;
    expect(await search(world, { limit: 2 })).toEqual(["1@100 row", "2@90 row"]);
    expect(world.of("rows")).toEqual(["rows 0 1,2"]);
    expect(world.of("count").length).toBe(1);
  });

  test("counts what it looked through", async () => {
    const world = new World()
      .head(part(1, 100))
      .block("a", 90, part(2, 90))
      .block("b", 80, part(3, 80), part(4, 79));
    const run = runOn(world);
    await run.run();
    expect(run.metrics()).toEqual({
      inspectedTraces: 4,
      inspectedSpans: 40,
      inspectedBytes: 0,
      totalBlocks: 2,
      totalBlockBytes: 200,
      totalJobs: 3,
      completedJobs: 3,
    });
  });
});

describe.each([true, false])("SearchRun: traces in several places, told which or not: %p", (tellsSplit) => {
  const newWorld = () => Object.assign(new World(), { tellsSplit });

  test("are put together before they are shown", async () => {
    const world = newWorld()
      .head(part(1, 100))
      .block("a", 90, part(1, 90), part(2, 85))
      .block("b", 80, part(1, 80));
    expect(await search(world)).toEqual(["2@85 row", "1@80 3 parts"]);
    expect(world.of("join")).toEqual(["join 1"]);
  });

  test("match where no part does by itself", async () => {
    const world = newWorld()
      .head(open(1, 100))
      .block("a", 90, open(1, 90), open(2, 80))
      .block("b", 80, open(3, 80));
    expect(await search(world, { text: wholeTraces })).toEqual(["1@90 2 parts"]);
    expect(world.of("join")).toEqual(["join 1"]);
  });

  test("match where the head has no span that one of a match must have", async () => {
    const world = newWorld().head(open(1, 100)).block("a", 90, open(1, 90));
    const batch = SpanBatch.create();
    batch.decode(request([span({ trace: idOf(1), id: 2, start: nanosOf(100), end: nanosOf(100) })]), 0);
    // As a real head, which looks at no trace here.
    world.live.search = async (_, { query, ...wanted }) => [
      searchHead(batch, { ...wanted, plan: planOf(query) }),
    ];
    expect(await search(world, { text: wholeTraces })).toEqual(["1@90 2 parts"]);
  });

  test("may lie in two heads", async () => {
    const world = newWorld().head(open(1, 100)).head(open(1, 90));
    expect(await search(world, { text: wholeTraces })).toEqual(["1@90 2 parts"]);
  });

  test("are left out if they do not match as a whole, and older ones take their place", async () => {
    const world = newWorld()
      .head(part(1, 100), part(2, 95))
      .block("a", 90, part(1, 90), part(3, 70), part(4, 60));
    world.failing.add(1);
    expect(await search(world, { limit: 2 })).toEqual(["2@95 1 parts", "3@70 row"]);
  });

  test("are left out however many they are", async () => {
    const world = newWorld();
    const traces = Array.from({ length: 300 }, (_, i) => i + 1);
    world.block("a", 1000, ...traces.map((trace) => part(trace, 100 + trace)));
    world.head(...traces.filter((trace) => trace > 20).map((trace) => open(trace, 100 + trace)));
    for (const trace of traces) if (trace > 20) world.failing.add(trace);
    expect(await search(world, { limit: 2, text: wholeTraces })).toEqual(["20@120 row", "19@119 row"]);
  });

  test("do not take the place of those that began later than they did", async () => {
    // Trace 1 has one of the newest parts, but began long ago.
    const world = newWorld()
      .head(part(1, 100))
      .block("a", 95, part(2, 90), part(3, 80))
      .block("b", 20, open(1, 10));
    expect(await search(world, { limit: 2 })).toEqual(["2@90 row", "3@80 row"]);
    expect(await search(world, { limit: 3 })).toEqual(["2@90 row", "3@80 row", "1@10 2 parts"]);
  });

  test("do not count twice among the newest", async () => {
    const world = newWorld()
      .head(part(1, 100), part(2, 99))
      .block("a", 98, part(1, 98), part(2, 97), part(3, 50));
    expect(await search(world, { limit: 3 })).toEqual(["1@98 2 parts", "2@97 2 parts", "3@50 row"]);
  });

  test("do not hide, by the part that was seen first, what another source left out for a later one", async () => {
    // The second head gives its newest alone, a part of trace 1: that the trace began at 10 is known by then.
    const world = newWorld().head(part(1, 10)).head(part(1, 100), part(2, 90));
    expect(await search(world, { limit: 1 })).toEqual(["2@90 1 parts"]);
  });

  test("are judged whole by parts of an hour around the searched time", async () => {
    const world = newWorld()
      .block("near", 4000, part(1, 3990))
      .block("far", 5000, part(1, 4990), part(2, 4980));
    const asked = { start: 5000, end: 6000, text: wholeTraces };
    expect(await search(world, asked)).toEqual(["2@4980 row", "1@3990 2 parts"]);
    expect(world.of("search")).toEqual(["search 0 far since 0"]);
  });

  test("go on for what remains where a block is deleted meanwhile", async () => {
    const world = newWorld()
      .block("a", 100, part(1, 100), part(2, 90))
      .block("b", 80, part(3, 80), part(4, 70));
    const found = runOn(world, { limit: 2 }).run();
    await Promise.resolve();
    world.holds.set(
      "rows",
      Promise.resolve().then(() => void world.deleted.add("a")),
    );
    const traces = shown(await found);
    expect(traces.filter((trace) => /^[34]/.test(trace))).toEqual(traces);
  });
});

describe("SearchRun: what another part of the newest hides", () => {
  test("is looked for again, with enough of them", async () => {
    const world = new World()
      .head(part(1, 100), part(2, 10))
      .block("a", 95, open(1, 95))
      .block("b", 60, part(3, 50));
    world.failing.add(1);
    expect(await search(world, { limit: 1, text: wholeTraces })).toEqual(["3@50 row"]);
  });

  test("is looked for in no more blocks than it takes, however long ago a trace began", async () => {
    // A trace that has run for long must not have every trace since its start collected.
    const world = new World().head(part(1, 5000), part(2, 4500));
    for (let n = 0; n < 40; n++) {
      world.block(
        `b${n}`,
        4000 - n * 100,
        ...Array.from({ length: 50 }, (_, i) => part(100 + n * 50 + i, 4000 - n * 100 - i)),
      );
    }
    world.block("old", 10, open(1, 5));
    const run = runOn(world, { limit: 2 });
    expect(shown(await run.run())).toEqual(["2@4500 1 parts", "100@4000 row"]);
    expect(run.metrics().inspectedTraces).toBeLessThan(1500);
  });
});

describe("SearchRun: what it can't tell", () => {
  test("is refused: whether older traces are newer than the one that began long before its newest parts", async () => {
    const world = new World().head(part(1, 50));
    // A head full of one trace, which gives as many parts as it is asked for, and has more.
    world.live.search = async (_, { limit }) => [
      {
        matched: {
          ids: new Uint8Array(Buffer.alloc(limit * idBytes, idOf(1))),
          starts: new BigUint64Array(limit).fill(nanosOf(100)),
        },
        undecided: partsOf([]),
        inspectedTraces: 1,
        inspectedSpans: 1,
        inspectedBytes: 0,
      },
    ];
    const found = search(world, { limit: 1 });
    await expect(found).rejects.toMatchObject({ code: "query_too_large" });
    await expect(found).rejects.toThrow("of the 524288 newest traces that may match too few do");
  });
});

describe("SearchRun: what it takes at a time", () => {
  const mebibyte = 1 << 20;
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

  test("is a thousand rows of a worker, in the order of the rows", async () => {
    const world = new World().block("a", 3000, ...numbers(2500).map((trace) => part(trace, trace)));
    expect((await search(world, { limit: 2500 })).length).toBe(2500);
    const asked = world.of("rows").map((rows) => rows.replace("rows 0 ", "").split(",").map(Number));
    expect(asked.map((rows) => [rows[0], rows.at(-1), rows.length])).toEqual([
      [1, 1000, 1000],
      [1001, 2000, 1000],
      [2001, 2500, 500],
    ]);
  });

  test("is 16 MiB of traces that are put together, or one that is larger", async () => {
    const world = new World().head(part(1, 90), part(2, 80), part(3, 70), part(4, 100));
    for (const trace of [1, 2, 3]) world.partBytes.set(trace, 7 * mebibyte);
    world.partBytes.set(4, 20 * mebibyte);
    expect((await search(world)).length).toBe(4);
    expect(world.of("join")).toEqual(["join 4", "join 1,2", "join 3"]);
  });

  test("is 16 MiB of traces of blocks as well", async () => {
    const world = new World()
      .block("a", 100, part(1, 90), part(2, 80), part(3, 70))
      .block("b", 60, part(1, 60), part(2, 50), part(3, 40));
    for (const trace of [1, 2, 3]) world.partBytes.set(trace, 4 * mebibyte);
    expect(await search(world)).toEqual(["1@60 2 parts", "2@50 2 parts", "3@40 2 parts"]);
    expect(world.of("join")).toEqual(["join 1,2", "join 3"]);
  });

  test("is an answer of 64 MiB; of one that would be larger the client is told what to do", async () => {
    const world = new World()
      .add({ name: "a", tenant: "t", end: 90, worker: 0, parts: [part(1, 90), part(2, 80)] })
      .add({ name: "b", tenant: "t", end: 70, worker: 1, parts: [part(3, 70)] });
    for (const trace of [1, 2]) world.shownBytes.set(trace, 32 * mebibyte);
    world.shownBytes.set(3, 1);
    expect((await search(world, { limit: 2 })).length).toBe(2);
    const larger = search(world, { limit: 3 });
    await expect(larger).rejects.toMatchObject({ code: "query_too_large" });
    await expect(larger).rejects.toThrow("ask for fewer traces by limit, or fewer spans by spss");
  });

  test("is the answer as it is now: what newer traces have displaced no longer counts", async () => {
    const world = new World()
      .add({ name: "a", tenant: "t", end: 90, worker: 0, parts: [part(1, 90)] })
      .add({ name: "b", tenant: "t", end: 95, worker: 1, parts: [part(2, 95)] });
    for (const trace of [1, 2]) world.shownBytes.set(trace, 40 * mebibyte);
    const held = Promise.withResolvers<void>();
    world.holds.set("search 1 b", held.promise);
    const run = runOn(world, { limit: 1 });
    const done = run.run();
    while (world.of("search 1 b").length === 0) await Promise.resolve();
    expect((await run.progress()).map(({ startNanos }) => startNanos)).toEqual([nanosOf(90)]);
    held.resolve();
    expect((await done).map(({ startNanos }) => startNanos)).toEqual([nanosOf(95)]);
  });

  test("is more and more traces where they turn out not to match", async () => {
    const world = new World();
    world.block("a", 1000, ...numbers(300).map((trace) => part(trace, 100 + trace)));
    world.head(...numbers(300).map((trace) => open(trace, 100 + trace)));
    for (const trace of numbers(300)) if (trace > 1) world.failing.add(trace);
    expect(await search(world, { limit: 1, text: wholeTraces })).toEqual(["1@101 2 parts"]);
    // The search is made for the newest alone, and then for 68 and the open parts. Of the 299 others 1 is looked at, then 1 + 64, 1 + 128
    // and the 104 that are left, each time 64 together.
    const asked = world.of("find live t").map((ids) => ids.split(",").length);
    expect(asked).toEqual([1, 1, 64, 1, 64, 64, 1, 64, 40]);
  });
});

describe("SearchRun.progress()", () => {
  test("gives what is found so far, each trace once", async () => {
    const world = new World().head(part(1, 100)).block("a", 90, part(2, 90)).block("b", 80, part(3, 80));
    const held = Promise.withResolvers<void>();
    world.holds.set("search 0 b", held.promise);
    const run = runOn(world);
    expect(await run.progress()).toEqual([]);
    const done = run.run();
    while (world.of("search 0 b").length === 0) await Promise.resolve();
    expect(shown(await run.progress())).toEqual(["1@100 1 parts", "2@90 row"]);
    expect(await run.progress()).toEqual([]);
    held.resolve();
    expect(shown(await done)).toEqual(["1@100 1 parts", "2@90 row", "3@80 row"]);
    expect(shown(await run.progress())).toEqual(["3@80 row"]);
  });

  test("shows a trace as whole as it gets, though its other part was not searched yet", async () => {
    const world = new World().block("a", 90, part(1, 90)).block("b", 80, part(1, 80));
    const held = Promise.withResolvers<void>();
    world.holds.set("search 0 b", held.promise);
    const run = runOn(world);
    const done = run.run();
    while (world.of("search 0 b").length === 0) await Promise.resolve();
    expect(shown(await run.progress())).toEqual(["1@80 2 parts"]);
    held.resolve();
    expect(shown(await done)).toEqual(["1@80 2 parts"]);
    expect(world.of("join").length).toBe(1);
  });
});

describe("SearchRun: failures", () => {
  const broken = new Error("broken");
  const sources: [what: string, text: string][] = [
    ["live", filter],
    ["ids", filter],
    ["split", filter],
    ["split", wholeTraces],
    ["search 0 a", filter],
    ["rows", filter],
    ["find live", wholeTraces],
    ["locate", wholeTraces],
    ["find 1", wholeTraces],
    ["join", wholeTraces],
  ];
  test.each(sources)("of a source fail the search: %s of %s", async (what, text) => {
    const world = new World().head(open(1, 100)).block("a", 90, open(1, 90), part(2, 80));
    const failed = Promise.reject(broken);
    failed.catch(() => {});
    world.holds.set(what, failed);
    await expect(runOn(world, { text }).run()).rejects.toThrow(broken);
  });

  test("of progress do not go unseen, nor twice", async () => {
    const world = new World().head(part(1, 100));
    const run = runOn(world);
    await run.run();
    const other = runOn(world);
    const failed = Promise.reject(broken);
    failed.catch(() => {});
    world.holds.set("join", failed);
    await expect(other.run()).rejects.toThrow(broken);
    await expect(other.progress()).rejects.toThrow(broken);
    expect(shown(await run.run())).toEqual(["1@100 1 parts"]);
  });

  test("and cancellation end it, with a signal that every source has", async () => {
    const world = new World().head(part(1, 100)).block("a", 90, part(2, 90));
    const held = Promise.withResolvers<void>();
    world.holds.set("search", held.promise);
    const client = new AbortController();
    const done = runOn(world, {}, client.signal).run();
    while (world.of("search").length === 0) await Promise.resolve();
    client.abort();
    held.resolve();
    await expect(done).rejects.toThrow("abort");
    expect([...world.signals].map(({ aborted }) => aborted)).toEqual([true]);
    expect(world.of("rows")).toEqual([]);
  });
});

describe("over a network", () => {
  test("asks filters which traces are split, and no block for the ids of all", async () => {
    const world = new World()
      .filtered()
      .block("a", 100, part(1, 100), part(2, 90))
      .block("b", 80, part(2, 80), part(3, 70));
    expect(shown(await runOn(world).run())).toEqual(["1@100 row", "2@80 2 parts", "3@70 row"]);
    expect(world.of("split")).toEqual([]);
    expect(world.of("count")).toEqual(["count"]);
  });

  test("makes sure of what a filter is mistaken about, and of blocks without a filter", async () => {
    for (const options of [{ mistaken: { b: 1 } }, { without: ["b"] }]) {
      const world = new World().filtered(options).block("a", 100, part(1, 100)).block("b", 80, part(2, 80));
      expect(shown(await runOn(world).run())).toEqual(["1@100 row", "2@80 row"]);
      expect(world.of("split")).toEqual([]);
      expect(world.of("count")).toEqual(["count"]);
    }
  });

  test("joins what lies in heads and in one block", async () => {
    const world = new World().filtered().head(part(1, 100)).block("a", 90, part(1, 90), part(2, 80));
    expect(shown(await runOn(world).run())).toEqual(["1@90 2 parts", "2@80 row"]);
    expect(world.of("split")).toEqual([]);
  });

  test("decides what needs whole traces of those alone that are new enough", async () => {
    const world = new World()
      .filtered()
      .block("a", 100, part(1, 100), open(2, 95), open(3, 60))
      .block("b", 90, open(2, 94), part(4, 50));
    expect(shown(await runOn(world, { text: wholeTraces, limit: 2 }).run())).toEqual([
      "1@100 row",
      "2@94 2 parts",
    ]);
    expect(world.of("split")).toEqual([]);
  });

  test("reads the ids of all blocks where there are more traces than filters are asked for", async () => {
    const parts = Array.from({ length: 300 }, (_, i) => open(i + 1, 100));
    const world = new World()
      .filtered()
      .block("a", 100, ...parts)
      .block("b", 100, open(300, 99));
    expect(shown(await runOn(world, { text: wholeTraces }).run())).toEqual(["300@99 2 parts"]);
    expect(world.of("split")).toEqual(["split"]);
  });
});

describe("SearchEngine.search()", () => {
  async function answers(world: World, over: Parameters<typeof requestOf>[0] = {}): Promise<SearchAnswer[]> {
    const engine = new SearchEngine(world.live, world.list, world.stored);
    const all: SearchAnswer[] = [];
    for await (const answer of engine.search(requestOf(over), never)) all.push(answer);
    return all;
  }

  test("gives one answer, and its signal ends with it", async () => {
    const world = new World().head(part(1, 100));
    const [answer, ...others] = await answers(world);
    expect(others).toEqual([]);
    expect([answer!.final, ...shown(answer!.traces)]).toEqual([true, "1@100 1 parts"]);
    expect([...world.signals].every(({ aborted }) => aborted)).toBe(true);
  });

  test("is refused what the answers of others leave no room for, and they leave it when they end", async () => {
    const world = new World().block("a", 100, part(1, 100)).block("b", 50, part(2, 50));
    world.shownBytes.set(1, 60 << 20);
    world.shownBytes.set(2, 40 << 20);
    const engine = new SearchEngine(world.live, world.list, world.stored);
    const first = engine.search(requestOf({ limit: 1 }), never);
    expect((await first.next()).value).toMatchObject({ final: true });
    world.blocks.shift();
    const second = engine.search(requestOf({ limit: 1 }), never);
    await expect(second.next()).rejects.toThrow("the answers of all searches under way");
    await first.next();
    const again = engine.search(requestOf({ limit: 1 }), never);
    expect((await again.next()).value).toMatchObject({ final: true });
  });

  test("shows the first traces as soon as there are any", async () => {
    const rest = Promise.withResolvers<void>();
    const world = new World().filtered().block("new", 100, part(1, 100)).block("old", 50, part(2, 50));
    world.holds.set("search 0 old", rest.promise);
    const seen: string[][] = [];
    const engine = new SearchEngine(world.live, world.list, world.stored, world.filters);
    for await (const { traces, final } of engine.search(requestOf({ progress: true }), never)) {
      seen.push(shown(traces));
      if (!final) rest.resolve();
    }
    expect(seen).toEqual([["1@100 row"], ["1@100 row", "2@50 row"]]);
  });

  test("gives no progress where the whole answer is there at once", async () => {
    const all = await answers(new World().head(part(1, 100)), { progress: true });
    expect(all.map(({ final }) => final)).toEqual([true]);
  });

  test("fails as the search does, and stops what is under way", async () => {
    const broken = new Error("broken");
    const world = new World().head(part(1, 100));
    const failed = Promise.reject(broken);
    failed.catch(() => {});
    world.holds.set("live", failed);
    await expect(answers(world)).rejects.toThrow(broken);
    await expect(answers(world, { progress: true })).rejects.toThrow(broken);
    expect([...world.signals].every(({ aborted }) => aborted)).toBe(true);
  });
});
