import { describe, expect, test } from "bun:test";
import type { BlockMeta } from "../block/meta.ts";
import type {
  NameLists,
  StoredLists,
  TagNamesQuery,
  TagValuesQuery,
  ValueLists,
} from "../search/tags_lists.ts";
import { metaOf } from "../shard/shard_fixture.ts";
import { extractConditions, parseIdentifier } from "../traceql/index.ts";
import { QueryCanceled, QueryTimeout } from "./query_errors.ts";
import type { TagNamesRequest, TagValuesRequest } from "./search_types.ts";
import { type LiveTags, SourcesTagLister, type StoredTags } from "./tag_lister.ts";
import type { CandidateRange } from "./trace_finder.ts";

const never = new AbortController().signal;

interface Sources {
  /** By tenant: one list for each shard. */
  live?: Record<string, NameLists[] | ValueLists[]>;
  /** By tenant: one list for each block, which is a job of its own. */
  stored?: Record<string, (NameLists | ValueLists)[]>;
  /** Live answers wait for it. */
  gate?: Promise<void>;
  queryTimeoutMs?: number;
}

function listerOver({ live = {}, stored = {}, gate = Promise.resolve(), queryTimeoutMs = 60_000 }: Sources) {
  const asked: string[] = [];
  const queries: (TagNamesQuery | TagValuesQuery)[] = [];
  const ranges: CandidateRange[] = [];
  const signals: AbortSignal[] = [];
  const ofShards = async (tenant: string, query: TagNamesQuery | TagValuesQuery, signal: AbortSignal) => {
    asked.push(`live ${tenant}`);
    queries.push(query);
    signals.push(signal);
    await gate;
    return live[tenant] ?? [];
  };
  const ofBlocks = async (blocks: BlockMeta[]): Promise<StoredLists<never>[]> => {
    asked.push(`blocks ${blocks.map(({ blockID }) => blockID)}`);
    return blocks.map(({ tenantID, blockID }) => ({
      lists: stored[tenantID]![Number(blockID)]!,
      inspectedBytes: 10,
      isWhole: true,
    }));
  };
  const list = {
    candidates(tenant: string, range: CandidateRange): BlockMeta[] {
      asked.push(`list ${tenant}`);
      ranges.push(range);
      return (stored[tenant] ?? []).map((_, i) => ({ ...metaOf(tenant, String(i), 1), size: 100 }));
    },
  };
  const lister = new SourcesTagLister(
    {
      tagNames: (tenant, query, _, signal) => ofShards(tenant, query, signal),
      tagValues: (tenant, query, _, signal) => ofShards(tenant, query, signal),
    } as LiveTags,
    list,
    { tagNames: (_, blocks) => ofBlocks(blocks), tagValues: (_, blocks) => ofBlocks(blocks) } as StoredTags,
    { queryTimeoutMs },
  );
  return { lister, asked, queries, ranges, signals };
}

const namesRequest = (over: Partial<TagNamesRequest> = {}): TagNamesRequest => ({
  tenants: ["t"],
  scope: "none",
  groups: null,
  start: 0,
  end: 0,
  limit: 0,
  bytesMax: 0,
  ...over,
});

const valuesRequest = (tag: string, filter = "", over: Partial<TagValuesRequest> = {}): TagValuesRequest => ({
  tenants: ["t"],
  attribute: parseIdentifier(tag),
  groups: extractConditions(filter, { groupsMax: 100 }),
  start: 0,
  end: 0,
  limit: 0,
  bytesMax: 0,
  ...over,
});

describe("SourcesTagLister.tagNames()", () => {
  const sources: Sources = {
    live: { t: [{ span: ["a", "c"] }, { event: ["e"] }], u: [{ span: ["u"] }] },
    stored: { t: [{ span: ["b"], resource: ["r"] }, { span: ["a"] }], u: [] },
  };

  test("joins heads and blocks, and asks the heads first", async () => {
    const { lister, asked } = listerOver(sources);
    const { scopes, metrics } = await lister.tagNames(namesRequest(), never);
    expect(Object.fromEntries(scopes.map(({ name, tags }) => [name, tags]))).toEqual({
      span: ["a", "b", "c"],
      event: ["e"],
      resource: ["r"],
    });
    expect(metrics).toEqual({
      inspectedBytes: 20,
      totalJobs: 2,
      completedJobs: 2,
      totalBlocks: 2,
      totalBlockBytes: 200,
    });
    expect(asked).toEqual(["live t", "list t", "blocks 0,1"]);
  });

  test("joins tenants, and reads no blocks where there are none", async () => {
    const { lister, asked } = listerOver(sources);
    const { scopes } = await lister.tagNames(namesRequest({ tenants: ["t", "u"] }), never);
    expect(scopes.find(({ name }) => name === "span")!.tags).toEqual(["a", "b", "c", "u"]);
    expect(asked.filter((text) => text.startsWith("blocks"))).toEqual(["blocks 0,1"]);
  });

  test("keeps the first names of each scope, and bytes of all", async () => {
    const { lister } = listerOver(sources);
    const limited = await lister.tagNames(namesRequest({ limit: 2 }), never);
    expect(limited.scopes.find(({ name }) => name === "span")!.tags).toEqual(["a", "b"]);
    expect(limited.scopes.length).toBe(3);
    const cut = await lister.tagNames(namesRequest({ bytesMax: 2 }), never);
    expect(cut.scopes).toEqual([{ name: "span", tags: ["a", "b"] }]);
  });

  test("asks for blocks of the range, where there is one", async () => {
    const { lister, ranges } = listerOver(sources);
    await lister.tagNames(namesRequest({ start: 5, end: 9 }), never);
    await lister.tagNames(namesRequest(), never);
    expect(ranges).toEqual([
      { start: 5, end: 9 },
      { start: undefined, end: undefined },
    ]);
  });
});

describe("SourcesTagLister.tagValues()", () => {
  test("sorts by value, then by type", async () => {
    const { lister } = listerOver({
      live: { t: [{ string: ["5", "x"], int: ["10", "5"] }] },
      stored: { t: [{ float: ["5.0"], string: ["a"] }] },
    });
    const { values } = await lister.tagValues(valuesRequest("span.a"), never);
    expect(values).toEqual([
      { type: "int", value: "10" },
      { type: "int", value: "5" },
      { type: "string", value: "5" },
      { type: "float", value: "5.0" },
      { type: "string", value: "a" },
      { type: "string", value: "x" },
    ]);
  });

  test("limits the values of all types together", async () => {
    const { lister } = listerOver({ live: { t: [{ string: ["b", "c"], int: ["1"] }] } });
    const { values } = await lister.tagValues(valuesRequest("span.a", "", { limit: 2 }), never);
    expect(values.map(({ value }) => value)).toEqual(["1", "b"]);
  });

  test("answers what the filter itself says of the target, without reading", async () => {
    const { lister, asked } = listerOver({ live: { t: [{ string: ["other"] }] } });
    const ask = async (tag: string, filter: string) =>
      (await lister.tagValues(valuesRequest(tag, filter), never)).values;
    expect(await ask("span.a", "{ span.a = `x` && span.b = 1 }")).toEqual([{ type: "string", value: "x" }]);
    expect(await ask("span.a", "{ span.a = 2 || span.a = 1.5 || span.a = true }")).toEqual([
      { type: "float", value: "1.5" },
      { type: "int", value: "2" },
      { type: "bool", value: "true" },
    ]);
    expect(asked).toEqual([]);
  });

  test("reads for the groups that say nothing of the target", async () => {
    const { lister, queries } = listerOver({ live: { t: [{ string: ["other"] }] } });
    const { values } = await lister.tagValues(
      valuesRequest("span.a", "{ span.a = `x` || span.b = 1 }"),
      never,
    );
    expect(values.map(({ value }) => value)).toEqual(["other", "x"]);
    expect(queries[0]!.groups!.length).toBe(1);
    const { asked, lister: second } = listerOver({});
    // Another scope, or another comparison, is none with the target.
    await second.tagValues(valuesRequest("span.a", "{ resource.a = `x` }"), never);
    await second.tagValues(valuesRequest("span.a", "{ span.a =~ `x` }"), never);
    expect(asked).toEqual(["live t", "list t", "live t", "list t"]);
  });
});

describe("SourcesTagLister", () => {
  test("stops its work when the client goes away", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { lister, signals, asked } = listerOver({ gate: promise, stored: { t: [{}] } });
    const client = new AbortController();
    const answer = lister.tagNames(namesRequest(), client.signal);
    client.abort();
    await expect(answer).rejects.toThrow(QueryCanceled);
    expect(signals[0]!.aborted).toBe(true);
    resolve();
    await promise;
    expect(asked).toEqual(["live t"]);
  });

  test("stops its work when the time is over", async () => {
    const { lister, signals } = listerOver({ gate: new Promise(() => {}), queryTimeoutMs: 1 });
    await expect(lister.tagNames(namesRequest(), never)).rejects.toThrow(QueryTimeout);
    expect(signals[0]!.aborted).toBe(true);
  });

  test("fails when a source does", async () => {
    const { lister } = listerOver({ gate: Promise.reject(new Error("gone")) });
    await expect(lister.tagValues(valuesRequest("span.a"), never)).rejects.toThrow("gone");
  });
});
