// Which attributes deserve dedicated columns.
import { spareColumns } from "../block/dedicated.ts";
import type { NewBlockVersion } from "../block/new_block_versions.ts";
import type { Tally } from "./attribute_tally.ts";
import { ownColumn } from "./own_column.ts";

/** Share of the bytes of a scope's strings below which a column is not worth it. */
const shareMin = 0.03;
/** Most values must be strings: a dedicated column has no others. */
const stringsMin = 0.5;
const scopes = {
  vParquet4: ["resource", "span"],
  vParquet5: ["resource", "span", "event"],
} as const satisfies Record<NewBlockVersion, readonly Tally["owner"][]>;

export interface SuggestedColumn {
  scope: (typeof scopes)[NewBlockVersion][number];
  name: string;
  /** Of the bytes of the scope's strings. */
  share: number;
}

/** Those with the most bytes of strings, by scope, without those that have a column in any block of the version. */
export function suggestedColumns(tallies: readonly Tally[], version: NewBlockVersion): SuggestedColumn[] {
  const hasColumn = (tally: Tally) => {
    const own = ownColumn(tally, []);
    return own === "always" || (own === "before vParquet5" && version !== "vParquet5");
  };
  return scopes[version].flatMap((scope) => {
    const ofScope = tallies.filter(({ owner }) => owner === scope);
    const all = ofScope.reduce((sum, { stringBytes }) => sum + stringBytes, 0);
    return ofScope
      .filter((tally) => {
        const { stringBytes, strings, ints, others } = tally;
        const isLarge = all > 0 && stringBytes >= shareMin * all;
        return isLarge && strings >= stringsMin * (strings + ints + others) && !hasColumn(tally);
      })
      .sort((a, b) => b.stringBytes - a.stringBytes)
      .slice(0, spareColumns[version].string)
      .map(({ name, stringBytes }) => ({ scope, name, share: stringBytes / all }));
  });
}
