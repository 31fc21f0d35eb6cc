// Series of histogram_over_time put together again: it answers with a series for each bucket.
import type { Attribute, Value } from "./attribute.ts";
import type { Series } from "./series.ts";
import { compareLabels, seriesText } from "./series_label.ts";

export interface Histogram {
  /** Without the bucket's. */
  labels: Attribute[];
  /** The lowest first. A power of two between them that no span fell into has a bucket too. */
  buckets: Bucket[];
}

export interface Bucket {
  /** The most that it takes. */
  bound: number;
  /** By interval, NaN where there is no sample. */
  counts: Float64Array;
}

const bucketLabel = "__bucket";
/** Powers of two in 64 bits. */
const bucketsMax = 64;

/** The histograms, sorted by their labels; null if the series are of something else. */
export function histogramsOf(all: readonly Series[]): Histogram[] | null {
  const byLabels = new Map<string, Histogram>();
  for (const { labels, values } of all) {
    const bound = numberOf(labels.find(({ key }) => key === bucketLabel)?.value ?? null);
    if (bound === null) return null;
    const rest = labels.filter(({ key }) => key !== bucketLabel);
    const text = seriesText(rest);
    let histogram = byLabels.get(text);
    if (histogram === undefined) {
      histogram = { labels: rest, buckets: [] };
      byLabels.set(text, histogram);
    }
    histogram.buckets.push({ bound, counts: values });
  }
  const histograms = [...byLabels.values()].sort((a, b) => compareLabels(a.labels, b.labels));
  return histograms.map(({ labels, buckets }) => ({ labels, buckets: withoutHoles(buckets) }));
}

function numberOf(value: Value): number | null {
  if (typeof value !== "number" && typeof value !== "bigint") return null;
  return Number.isFinite(Number(value)) ? Number(value) : null;
}

function withoutHoles(buckets: readonly Bucket[]): Bucket[] {
  const sorted = buckets.toSorted((a, b) => a.bound - b.bound);
  const [lowest, highest] = [sorted[0]!, sorted.at(-1)!];
  if (lowest.bound <= 0 || highest.bound / lowest.bound >= 2 ** bucketsMax) return sorted;
  const whole: Bucket[] = [];
  for (const bucket of sorted) {
    const before = whole.at(-1);
    if (before !== undefined) {
      for (let bound = before.bound * 2; bound < bucket.bound * closeTo; bound *= 2) {
        whole.push({ bound, counts: bucket.counts.map((count) => (Number.isNaN(count) ? count : 0)) });
      }
    }
    whole.push(bucket);
  }
  return whole;
}

/** Bounds that differ by less are the same one, written with other digits. */
const closeTo = 0.99;
