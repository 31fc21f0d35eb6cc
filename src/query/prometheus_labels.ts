// The labels of TraceQL's series under names that Prometheus allows.

import type { Label } from "../search/labels.ts";
import type { Series } from "./metrics_types.ts";

/** The one label of Prometheus' own that series of ours have: what was counted, where they have no group. */
const metricName = "__name__";

/**
 * Names by key, for all series of an answer, so that one key has one name in all of them. Keys that would have the same name are told
 * apart by a number, in the order of the keys.
 */
export function labelNames(series: readonly Series[]): Map<string, string> {
  const keys = new Set(series.flatMap(({ labels }) => labels.map(({ key }) => key)));
  const names = new Map<string, string>();
  const taken = new Set([metricName]);
  if (keys.delete(metricName)) names.set(metricName, metricName);
  for (const key of [...keys].sort()) {
    const plain = key.replace(/[^a-zA-Z0-9_]/g, "_").replace(/^(?=\d|$)/, "_");
    let name = plain;
    for (let number = 2; taken.has(name); number++) name = `${plain}_${number}`;
    taken.add(name);
    names.set(key, name);
  }
  return names;
}

export function labelText({ value }: Label): string {
  return value.type === "double" ? numberText(value.value) : String(value.value);
}

/** As Prometheus writes numbers. */
export function numberText(value: number): string {
  return String(value).replace(/^(-?)Infinity$/, (_, sign) => `${sign || "+"}Inf`);
}
