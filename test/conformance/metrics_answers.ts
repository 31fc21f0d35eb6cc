// Two answers of a metrics endpoint held against each other: series in any order, numbers as far as sums in another order agree, and
// no exemplars, whose choice is free.
import { areClose, type MetricsJson, type SeriesJson } from "./metrics_checks.ts";
import { valueText } from "./semantic_checks.ts";

/** What of an answer is not as in the right one, a line each. */
export function metricsDifferences(got: MetricsJson, right: MetricsJson): string[] {
  const left = new Map(Object.entries(Object.groupBy(got.series ?? [], labelsText)));
  const differences: string[] = [];
  for (const wanted of right.series ?? []) {
    const labels = labelsText(wanted);
    const found = left.get(labels)?.shift();
    if (found === undefined) differences.push(`${labels} is missing`);
    else if (!agree(found, wanted)) {
      differences.push(`${labels} is ${valuesText(found)}, not ${valuesText(wanted)}`);
    }
  }
  const unexpected = [...left.values()].flatMap((series) => series ?? []);
  return [...differences, ...unexpected.map((one) => `${labelsText(one)} is unexpected: ${valuesText(one)}`)];
}

export function labelsText({ labels = [] }: SeriesJson): string {
  return labels.map(({ key, value }) => `${key}=${valueText(value)}`).join(", ");
}

function agree(one: SeriesJson, other: SeriesJson): boolean {
  const [a, b] = [numbersOf(one), numbersOf(other)];
  return a.length === b.length && a.every((number, i) => areClose(number, b[i]!));
}

/** Times and values. */
function numbersOf({ samples, value = 0 }: SeriesJson): number[] {
  if (samples === undefined) return [Number(value)];
  return samples.flatMap(({ timestampMs = 0, value = 0 }) => [Number(timestampMs), Number(value)]);
}

function valuesText({ samples, value = 0 }: SeriesJson): string {
  if (samples === undefined) return String(value);
  return samples.map(({ timestampMs, value = 0 }) => `${timestampMs}:${value}`).join(" ");
}
