// What lies in the folder of a store, which a bucket of the test's S3 server is, too: by state of its blocks, and what belongs to none.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { LeaseRecord } from "../../src/store/compaction_lease.ts";

export interface StoredFolder {
  /** Ids by compaction level. */
  live: { id: string; level: number }[];
  compacted: string[];
  /** Folders without a meta. */
  unfinished: string[];
  /** Folders without anything: in a bucket, nothing. */
  empty: string[];
  /** Paths of what belongs to no block. */
  strange: string[];
  lease: LeaseRecord | null;
}

const idPattern = /^[0-9a-f-]{36}$/;
const ofTenant = /^(compaction_lease\.json|index\.json\.gz|index\.pb\.zst)$/;
const ofBlock = /^(meta\.json|meta\.compacted\.json|data\.parquet|index|bloom-\d+)$/;

/** Written by every poll of a block list, which no step of anything else is. */
export function isTenantIndex(path: string): boolean {
  return /(^|\/)index\.(json\.gz|pb\.zst)$/.test(path);
}

/** @param store folder with a folder for each tenant */
export function readStoredFolder(store: string, tenant = "single-tenant"): StoredFolder {
  const found: StoredFolder = {
    live: [],
    compacted: [],
    unfinished: [],
    empty: [],
    strange: [],
    lease: null,
  };
  const folder = join(store, tenant);
  if (!existsSync(folder)) return found;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (name === "compaction_lease.json") found.lease = JSON.parse(readFileSync(path, "utf8")) as LeaseRecord;
    if (!idPattern.test(name)) {
      if (!ofTenant.test(name)) found.strange.push(name);
      continue;
    }
    const objects = readIfThere(() => readdirSync(path)) ?? [];
    found.strange.push(
      ...objects.filter((object) => !ofBlock.test(object)).map((object) => `${name}/${object}`),
    );
    if (objects.includes("meta.json")) {
      const meta = readIfThere(() => readFileSync(join(path, "meta.json"), "utf8"));
      if (meta !== null) found.live.push({ id: name, level: JSON.parse(meta).compactionLevel ?? 0 });
    } else if (objects.includes("meta.compacted.json")) found.compacted.push(name);
    else if (objects.length > 0) found.unfinished.push(name);
    else found.empty.push(name);
  }
  return found;
}

/** Null where the server has deleted it meanwhile. */
function readIfThere<Value>(read: () => Value): Value | null {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
