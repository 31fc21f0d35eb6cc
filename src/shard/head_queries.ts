// What queries ask of a tenant's heads. Loaded with the first query: until then a shard has no use for the evaluator.
import type { MeasuredHeads, MetricsTerms } from "../jobs/measure_job.ts";
import { metricsPlanOf, planOf } from "../jobs/query_text.ts";
import { type FoundParts, joinArrays, joinFound, type SearchTerms } from "../jobs/search_job.ts";
import { targetOf } from "../search/measure.ts";
import { measureHead } from "../search/measure_heads.ts";
import { locateInHead, searchHead } from "../search/search_head.ts";
import { tagNamesOfHeads, tagValuesOfHeads } from "../search/tags_heads.ts";
import type { ShardApi } from "./api.ts";
import type { Head } from "./head.ts";
import type { Shard } from "./shard.ts";

type Params<Method extends keyof ShardApi> = ShardApi[Method]["params"];

/** Parts of traces that match, or may match together with others. */
export async function search(
  shard: Shard,
  { tenant, query, ...wanted }: Params<"search">,
  signal: AbortSignal,
): Promise<FoundParts> {
  const terms: SearchTerms = { ...wanted, plan: planOf(query) };
  const parts: FoundParts[] = [];
  await eachHead(shard, tenant, signal, ({ batch }) => parts.push(searchHead(batch, terms)));
  return joinFound(parts);
}

/** The spans of a tenant, counted for a metrics query. */
export async function measure(
  shard: Shard,
  { tenant, query, ...wanted }: Params<"measure">,
  signal: AbortSignal,
): Promise<MeasuredHeads> {
  const terms: MetricsTerms = { ...wanted, plan: metricsPlanOf(query) };
  const target = targetOf(terms);
  const open: Uint8Array<ArrayBuffer>[] = [];
  const blockIds: string[] = [];
  const inspected = { inspectedTraces: 0, inspectedSpans: 0, inspectedBytes: 0 };
  await eachHead(shard, tenant, signal, ({ batch, blockId }) => {
    open.push(measureHead(batch, terms, target));
    blockIds.push(blockId);
    inspected.inspectedTraces += batch.traces;
    inspected.inspectedSpans += batch.spans;
  });
  const ids = joinArrays(open, (length) => new Uint8Array(length));
  return { part: target.sums.finish(), open: ids, blockIds, ...inspected };
}

/** Places of the ids, 16 bytes each, whose traces have a span in a head; of one that is in two heads twice. */
export function locate(shard: Shard, { tenant, ids }: Params<"locate">): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(shard.headsOf(tenant).flatMap(({ batch }) => locateInHead(batch, ids)));
}

export function tagNames(shard: Shard, { tenant, query, range }: Params<"tagNames">) {
  return tagNamesOfHeads(batchesOf(shard, tenant), query, range);
}

export function tagValues(shard: Shard, { tenant, query, range }: Params<"tagValues">) {
  return tagValuesOfHeads(batchesOf(shard, tenant), query, range);
}

function batchesOf(shard: Shard, tenant: string) {
  return shard.headsOf(tenant).map(({ batch }) => batch);
}

/** Looks into each head at once; between two the thread does what waits. */
async function eachHead(
  shard: Shard,
  tenant: string,
  signal: AbortSignal,
  look: (head: Head) => void,
): Promise<void> {
  for (const [place, head] of shard.headsOf(tenant).entries()) {
    if (place > 0) await shard.pause();
    signal.throwIfAborted();
    // One that was dropped meanwhile is in a block that queries know of, and that they read after this.
    if (!head.isReleased) look(head);
  }
}
