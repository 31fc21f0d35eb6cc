// Which dedicated columns new blocks get.
import { columnsWithoutRoom, type DedicatedColumn } from "../block/dedicated.ts";
import type { Config } from "./config.ts";

/** Those of the overrides, or else of the storage. */
export function writtenColumns({ overrides, storage }: Config): readonly DedicatedColumn[] {
  const { parquet_dedicated_columns: ofTenants } = overrides.defaults.storage;
  return ofTenants.length > 0 ? ofTenants : storage.trace.block.parquet_dedicated_columns;
}

/** The key that the columns come from, and which of them have no place in a block; null if all have one. */
export function ignoredColumns(config: Config): { key: string; message: string } | null {
  const { version } = config.storage.trace.block;
  const left = columnsWithoutRoom(version, writtenColumns(config));
  if (left.length === 0) return null;
  const ofTenants = config.overrides.defaults.storage.parquet_dedicated_columns.length > 0;
  const section = ofTenants ? "overrides.defaults.storage" : "storage.trace.block";
  const names = left.map(({ scope, name }) => `${scope}.${name}`).join(", ");
  const message = `${names} ignored, ${version} blocks have no more columns of that scope and type`;
  return { key: `${section}.parquet_dedicated_columns`, message };
}
