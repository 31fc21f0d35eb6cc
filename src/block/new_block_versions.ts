// The versions that new blocks may have. Blocks of vParquet3, which keeps less, are written only where such blocks are merged.
import type { BlockVersion } from "./schema.ts";

export const newBlockVersions = ["vParquet4", "vParquet5"] as const satisfies BlockVersion[];
export type NewBlockVersion = (typeof newBlockVersions)[number];

export function isNewBlockVersion(format: string): format is NewBlockVersion {
  return (newBlockVersions as readonly string[]).includes(format);
}
