// The versions of the blocks that we write.
import type { BlockVersion } from "./schema.ts";

export const writtenVersions = ["vParquet4", "vParquet5"] as const satisfies BlockVersion[];
export type WrittenVersion = (typeof writtenVersions)[number];

export function isWrittenVersion(format: string): format is WrittenVersion {
  return (writtenVersions as readonly string[]).includes(format);
}
