// A series as it is drawn: its labels, and a value for each interval of the time that was asked about.
import type { Attribute } from "./attribute.ts";

export interface Series {
  labels: Attribute[];
  /** By interval, NaN where there is no sample. */
  values: Float64Array;
}

export interface Summary {
  last: number;
  min: number;
  max: number;
  avg: number;
}

/** Of the samples that there are; null if there is none. */
export function summaryOf(values: Float64Array): Summary | null {
  const present = values.filter((value) => !Number.isNaN(value));
  if (present.length === 0) return null;
  let [min, max, sum] = [present[0]!, present[0]!, 0];
  for (const value of present) {
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
  }
  return { last: present.at(-1)!, min, max, avg: sum / present.length };
}

/** The lowest and the highest value of all; 0 and 0 of none. */
export function boundsOf(all: readonly Float64Array[]): { min: number; max: number } {
  const summaries = all.map(summaryOf).filter((summary) => summary !== null);
  if (summaries.length === 0) return { min: 0, max: 0 };
  return {
    min: summaries.reduce((least, { min }) => Math.min(least, min), Infinity),
    max: summaries.reduce((most, { max }) => Math.max(most, max), -Infinity),
  };
}

/**
 * Those with the highest ranks, in the order that they had.
 *
 * @param limit 0: all
 */
export function highest<T>(items: readonly T[], limit: number, rankOf: (item: T) => number): T[] {
  if (limit === 0 || items.length <= limit) return [...items];
  const ranked = items.map((item, at) => ({ item, at, rank: rankOf(item) }));
  ranked.sort((a, b) => b.rank - a.rank || a.at - b.at);
  return ranked
    .slice(0, limit)
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
