// Whether an attribute has a column of its own, apart from the lists that all others share.
import { type DedicatedColumn, staticColumnsV4 } from "../block/dedicated.ts";
import type { Tally } from "./attribute_tally.ts";

/** In which blocks; empty: in none. */
export type OwnColumn = "always" | "dedicated" | "before vParquet5" | "";

/** @param dedicated columns of the blocks that are meant */
export function ownColumn(
  { owner, name }: Pick<Tally, "owner" | "name">,
  dedicated: readonly DedicatedColumn[],
): OwnColumn {
  const isThis = (column: { scope: string; name: string }) => column.scope === owner && column.name === name;
  if (owner === "resource" && name === "service.name") return "always";
  if (dedicated.some(isThis)) return "dedicated";
  return staticColumnsV4.some(isThis) ? "before vParquet5" : "";
}
