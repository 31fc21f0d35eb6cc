// Which dedicated columns new blocks get.
import type { DedicatedColumn } from "../block/dedicated.ts";
import type { Config } from "./config.ts";

/** Those of the overrides, or else of the storage. */
export function writtenColumns({ overrides, storage }: Config): readonly DedicatedColumn[] {
  const { parquet_dedicated_columns: ofTenants } = overrides.defaults.storage;
  return ofTenants.length > 0 ? ofTenants : storage.trace.block.parquet_dedicated_columns;
}
