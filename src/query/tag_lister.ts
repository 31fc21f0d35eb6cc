// Lists names and values of attributes wherever they lie: live data first, then the blocks of the time asked for. A block is listed
// before the head that it was written from is dropped, so in this order nothing falls between.
import type { BlockMeta } from "../block/meta.ts";
import type { AttributeOwner } from "../search/projection.ts";
import { splitByTarget } from "../search/tags_filter.ts";
import type { TagsRange } from "../search/tags_heads.ts";
import {
  inOrder,
  type NameLists,
  nameBounds,
  type StoredLists,
  type TagLists,
  TagListsJoin,
  type TagNamesQuery,
  type TagValuesQuery,
  type ValueLists,
  valueBounds,
} from "../search/tags_lists.ts";
import { floatText } from "../search/tags_text.ts";
import type { Literal } from "../traceql/index.ts";
import { printDuration } from "../traceql/index.ts";
import { QueryDeadline } from "./query_deadline.ts";
import type {
  TagLister,
  TagNames,
  TagNamesRequest,
  TagsMetrics,
  TagValues,
  TagValuesRequest,
  TagValueType,
} from "./search_types.ts";
import type { BlockCandidates } from "./trace_finder.ts";

/** Spans that are not in blocks yet. Each answer has the lists of every shard. */
export interface LiveTags {
  tagNames(tenant: string, query: TagNamesQuery, range: TagsRange, signal: AbortSignal): Promise<NameLists[]>;
  tagValues(
    tenant: string,
    query: TagValuesQuery,
    range: TagsRange,
    signal: AbortSignal,
  ): Promise<ValueLists[]>;
}

/** Lists what is in stored blocks. Each answer has one element for each job. */
export interface StoredTags {
  tagNames(
    query: TagNamesQuery,
    blocks: BlockMeta[],
    signal: AbortSignal,
  ): Promise<StoredLists<AttributeOwner>[]>;
  tagValues(
    query: TagValuesQuery,
    blocks: BlockMeta[],
    signal: AbortSignal,
  ): Promise<StoredLists<TagValueType>[]>;
}

export interface SourcesTagListerOptions {
  queryTimeoutMs: number;
}

export class SourcesTagLister implements TagLister {
  constructor(
    private readonly live: LiveTags,
    private readonly list: BlockCandidates<BlockMeta>,
    private readonly stored: StoredTags,
    private readonly options: SourcesTagListerOptions,
  ) {}

  async tagNames(request: TagNamesRequest, signal: AbortSignal): Promise<TagNames> {
    const { tenants, start, end, ...query } = request;
    const join = new TagListsJoin<AttributeOwner>(nameBounds(query));
    const metrics = await this.#collect(tenants, { start, end }, join, signal, {
      live: (tenant, work) => this.live.tagNames(tenant, query, { start, end }, work),
      stored: (blocks, work) => this.stored.tagNames(query, blocks, work),
    });
    const scopes = Object.entries(join.whole()) as [AttributeOwner, string[]][];
    return { scopes: scopes.map(([name, tags]) => ({ name, tags })), metrics };
  }

  async tagValues(request: TagValuesRequest, signal: AbortSignal): Promise<TagValues> {
    const { tenants, start, end, ...asked } = request;
    const { literals, groups } = splitByTarget(asked.attribute, asked.groups);
    const query = { ...asked, groups };
    const join = new TagListsJoin<TagValueType>(valueBounds(query));
    for (const literal of literals) join.add(listOf(literal));
    const isKnown = groups !== null && groups.length === 0;
    const metrics = await this.#collect(isKnown ? [] : tenants, { start, end }, join, signal, {
      live: (tenant, work) => this.live.tagValues(tenant, query, { start, end }, work),
      stored: (blocks, work) => this.stored.tagValues(query, blocks, work),
    });
    const values = [...inOrder(join.whole())].map(([type, value]) => ({ type, value }));
    return { values, metrics };
  }

  async #collect<Kind extends string>(
    tenants: readonly string[],
    range: TagsRange,
    join: TagListsJoin<Kind>,
    signal: AbortSignal,
    ask: {
      live(tenant: string, work: AbortSignal): Promise<TagLists<Kind>[]>;
      stored(blocks: BlockMeta[], work: AbortSignal): Promise<StoredLists<Kind>[]>;
    },
  ): Promise<TagsMetrics> {
    const metrics: TagsMetrics = {
      inspectedBytes: 0,
      totalJobs: 0,
      completedJobs: 0,
      totalBlocks: 0,
      totalBlockBytes: 0,
    };
    const ofTenant = async (tenant: string, work: AbortSignal): Promise<void> => {
      for (const lists of await ask.live(tenant, work)) join.add(lists);
      if (work.aborted) return;
      // What is asked without a range is asked of everything.
      const blocks = this.list.candidates(tenant, {
        start: range.start || undefined,
        end: range.end || undefined,
      });
      if (blocks.length === 0) return;
      metrics.totalBlocks += blocks.length;
      for (const { size } of blocks) metrics.totalBlockBytes += size;
      for (const { lists, inspectedBytes } of await ask.stored(blocks, work)) {
        join.add(lists);
        metrics.inspectedBytes += inspectedBytes;
        metrics.totalJobs++;
        metrics.completedJobs++;
      }
    };
    const deadline = new QueryDeadline(signal, this.options.queryTimeoutMs);
    try {
      const searches = signal.aborted ? [] : tenants.map((tenant) => ofTenant(tenant, deadline.signal));
      await deadline.race(Promise.all(searches));
      return metrics;
    } finally {
      deadline.end();
    }
  }
}

function listOf(literal: Literal): ValueLists {
  switch (literal.type) {
    case "string":
      return { string: [literal.value] };
    case "int":
      return { int: [String(literal.value)] };
    case "float":
      return { float: [floatText(literal.value)] };
    case "bool":
      return { bool: [String(literal.value)] };
    case "duration":
      return { duration: [printDuration(literal.value)] };
    case "status":
    case "kind":
      return { keyword: [literal.value] };
  }
}
