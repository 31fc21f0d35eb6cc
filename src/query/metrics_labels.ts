// Labels of groups, and the groups that come to have the same ones.
import { type Label, type LabelValue, labelValue } from "../search/labels.ts";
import { type Attribute, printAttribute } from "../traceql/index.ts";
import type { Cells, GroupKey, PartialExemplar } from "./metrics_partial.ts";
import { valueText } from "./series_order.ts";

export interface LabeledGroup {
  labels: Label[];
  cells: Cells[];
  exemplars: PartialExemplar[];
}

export function textLabel(key: string, value: string): Label {
  return { key, value: { type: "string", value } };
}

/** Those of the attributes that are there, in the order of `by`. */
export function keyLabels(by: readonly Attribute[], key: GroupKey): Label[] {
  return by.flatMap((attribute, i) => {
    const value = key[i] ?? null;
    return value === null ? [] : [{ key: printAttribute(attribute), value: labelValue(value) }];
  });
}

/** What stands for a value that is missing, or can't be shown. */
export const noValue: LabelValue = { type: "string", value: "nil" };

export function missingLabel(attribute: Attribute): Label {
  return { key: printAttribute(attribute), value: noValue };
}

/** One for each set of labels: a value that is missing and the text "nil" have the same label. */
export function labeledGroups<T extends { cells: Cells }>(
  groups: readonly T[],
  labelsOf: (group: T) => Label[],
  exemplars: readonly PartialExemplar[] = [],
): LabeledGroup[] {
  const byLabels = new Map<string, LabeledGroup>();
  const ofGroup = groups.map((group) => {
    const labels = labelsOf(group);
    const text = labels.map(labelText).join();
    let labeled = byLabels.get(text);
    if (labeled === undefined) {
      labeled = { labels, cells: [], exemplars: [] };
      byLabels.set(text, labeled);
    }
    labeled.cells.push(group.cells);
    return labeled;
  });
  for (const exemplar of exemplars) ofGroup[exemplar.group]!.exemplars.push(exemplar);
  return [...byLabels.values()];
}

/** Different for different labels. */
export function labelText({ key, value }: Label): string {
  return JSON.stringify([key, valueText(value)]);
}
