// Names and values of attributes in heads: what a shard answers from.
import type { SpanBatch } from "../batch/span_batch.ts";
import type { AttributeOwner } from "./projection.ts";
import { type ListedSpans, tagNamesOf, tagValuesOf } from "./tags_batch.ts";
import { filterOf, matchingSpans } from "./tags_filter.ts";
import {
  type NameLists,
  nameBounds,
  type TagLists,
  TagListsJoin,
  type TagNamesQuery,
  type TagsQuery,
  type TagValuesQuery,
  type ValueLists,
  valueBounds,
} from "./tags_lists.ts";

/** Unix seconds; 0: no bound. */
export interface TagsRange {
  start: number;
  end: number;
}

/** Calls of a shard. */
export interface HeadTagCalls {
  tagNames: { params: { tenant: string; query: TagNamesQuery; range: TagsRange }; result: NameLists };
  tagValues: { params: { tenant: string; query: TagValuesQuery; range: TagsRange }; result: ValueLists };
}

/** Lists the names in those batches that have spans of the time. */
export function tagNamesOfHeads(
  batches: readonly SpanBatch[],
  query: TagNamesQuery,
  range: TagsRange,
): NameLists {
  const join = new TagListsJoin<AttributeOwner>(nameBounds(query));
  return listHeads(batches, query, range, join, (batch, listed) => tagNamesOf(batch, query, listed));
}

/** Lists the values in those batches that have spans of the time. */
export function tagValuesOfHeads(
  batches: readonly SpanBatch[],
  query: TagValuesQuery,
  range: TagsRange,
): ValueLists {
  const join = new TagListsJoin<keyof ValueLists>(valueBounds(query));
  return listHeads(batches, query, range, join, (batch, listed) => tagValuesOf(batch, query, listed));
}

function listHeads<Kind extends string>(
  batches: readonly SpanBatch[],
  { groups }: TagsQuery,
  { start, end }: TagsRange,
  join: TagListsJoin<Kind>,
  list: (batch: SpanBatch, listed: ListedSpans) => TagLists<Kind>,
): TagLists<Kind> {
  const filter = groups === null ? null : filterOf(groups);
  for (const batch of batches) {
    if (!batch.core.hasSpansWithin!(start, end)) continue;
    const spans = filter === null ? 0 : matchingSpans(batch, filter, false);
    join.add(list(batch, { spans, stored: false }));
  }
  return join.part();
}
