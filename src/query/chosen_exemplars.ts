// Which of the exemplars that heads and blocks have picked are shown: a few of each stretch of time, one of each trace.
import { exemplarBucketNanos, exemplarsPerBucket } from "../search/exemplar_picker.ts";
import type { PartExemplar } from "../search/series_part.ts";
import type { PartialExemplar } from "./metrics_partial.ts";
import type { MetricsRequest } from "./metrics_types.ts";

type Wanted = Pick<MetricsRequest, "startNanos" | "endNanos" | "stepNanos" | "exemplars">;

/** Those that are shown, with the trace among their labels. */
export function chosenExemplars(picked: readonly PartExemplar[], request: Wanted): PartialExemplar[] {
  return chosen(picked, request).map(({ traceId, labels, ...exemplar }) => {
    const id = traceId.replace(/^0+/, "");
    const others = labels.filter(({ key }) => key !== "trace:id");
    return { ...exemplar, labels: [{ key: "trace:id", value: { type: "string", value: id } }, ...others] };
  });
}

/** The first of them by time. */
export function chosen(picked: readonly PartExemplar[], request: Wanted): PartExemplar[] {
  const { startNanos, exemplars: wanted } = request;
  const bucketNanos = exemplarBucketNanos(request, wanted);
  const traces = new Set<string>();
  const inBuckets = new Map<bigint, number>();
  const found: PartExemplar[] = [];
  for (const exemplar of picked.toSorted(byTime)) {
    if (found.length === wanted) break;
    const bucket = (exemplar.startNanos - startNanos - 1n) / bucketNanos;
    const count = inBuckets.get(bucket) ?? 0;
    if (count === exemplarsPerBucket || traces.has(exemplar.traceId)) continue;
    inBuckets.set(bucket, count + 1);
    traces.add(exemplar.traceId);
    found.push(exemplar);
  }
  return found;
}

function byTime(a: PartExemplar, b: PartExemplar): number {
  if (a.startNanos !== b.startNanos) return a.startNanos < b.startNanos ? -1 : 1;
  return a.traceId < b.traceId ? -1 : Number(a.traceId > b.traceId);
}
