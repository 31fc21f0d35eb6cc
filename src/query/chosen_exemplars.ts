// Which of the exemplars that heads and blocks have picked are shown: a few of each stretch of time, one of each trace.
import { exemplarBucketNanos, exemplarsPerBucket } from "../search/exemplar_picker.ts";
import type { PartExemplar } from "../search/series_part.ts";
import type { PartialExemplar } from "./metrics_partial.ts";
import type { MetricsRequest } from "./metrics_types.ts";

/** The first of them by time, with the trace among their labels. */
export function chosenExemplars(
  picked: readonly PartExemplar[],
  request: Pick<MetricsRequest, "startNanos" | "endNanos" | "stepNanos" | "exemplars">,
): PartialExemplar[] {
  const { startNanos, exemplars: wanted } = request;
  const bucketNanos = exemplarBucketNanos(request, wanted);
  const traces = new Set<string>();
  const inBuckets = new Map<bigint, number>();
  const chosen: PartialExemplar[] = [];
  for (const { traceId, labels, ...exemplar } of picked.toSorted(byTime)) {
    if (chosen.length === wanted) break;
    const bucket = (exemplar.startNanos - startNanos - 1n) / bucketNanos;
    const count = inBuckets.get(bucket) ?? 0;
    if (count === exemplarsPerBucket || traces.has(traceId)) continue;
    inBuckets.set(bucket, count + 1);
    traces.add(traceId);
    const id = traceId.replace(/^0+/, "");
    const others = labels.filter(({ key }) => key !== "trace:id");
    chosen.push({
      ...exemplar,
      labels: [{ key: "trace:id", value: { type: "string", value: id } }, ...others],
    });
  }
  return chosen;
}

function byTime(a: PartExemplar, b: PartExemplar): number {
  if (a.startNanos !== b.startNanos) return a.startNanos < b.startNanos ? -1 : 1;
  return a.traceId < b.traceId ? -1 : 1;
}
