// Which attributes deserve dedicated columns.
import { staticColumnsV4 } from "../block/dedicated.ts";
import type { Tally } from "./attribute_tally.ts";

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
      .filter(({ name, stringBytes, strings, ints, others }) => {
        const hasColumn =
          name === "service.name" || staticColumnsV4.some((one) => one.scope === scope && one.name === name);
        return (
          !hasColumn &&
          stringBytes >= shareMin * all &&
          strings >= stringsMin * (strings + ints + others) &&
          all > 0
        );
      })
      .sort((a, b) => b.stringBytes - a.stringBytes)
      .slice(0, columnsMax)
      .map(({ name, stringBytes }) => ({ scope, name, share: stringBytes / all }));
  });
}
