// Which attributes deserve dedicated columns.
import type { Tally } from "./attribute_tally.ts";
import { ownColumn } from "./own_column.ts";

/** Columns of strings that a vParquet4 block can have for a scope. */
const columnsMax = 10;
/** Share of the bytes of a scope's strings below which a column is not worth it. */
const shareMin = 0.03;
/** Most values must be strings: a dedicated column has no others. */
const stringsMin = 0.5;
const scopes = ["resource", "span"] as const;

export interface SuggestedColumn {
  scope: (typeof scopes)[number];
  name: string;
  /** Of the bytes of the scope's strings. */
  share: number;
}

/** Those with the most bytes of strings, by scope, without those that have a column in any block. */
export function suggestedColumns(tallies: readonly Tally[]): SuggestedColumn[] {
  return scopes.flatMap((scope) => {
    const ofScope = tallies.filter(({ owner }) => owner === scope);
    const all = ofScope.reduce((sum, { stringBytes }) => sum + stringBytes, 0);
    return ofScope
      .filter((tally) => {
        const { stringBytes, strings, ints, others } = tally;
        const isLarge = all > 0 && stringBytes >= shareMin * all;
        return isLarge && strings >= stringsMin * (strings + ints + others) && ownColumn(tally, []) === "";
      })
      .sort((a, b) => b.stringBytes - a.stringBytes)
      .slice(0, columnsMax)
      .map(({ name, stringBytes }) => ({ scope, name, share: stringBytes / all }));
  });
}
