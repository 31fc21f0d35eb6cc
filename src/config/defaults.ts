// The configuration that holds when nothing is configured.
import type { Config } from "./config.ts";
import { type AnyTable, isKey } from "./key.ts";
import { choosePaths } from "./paths.ts";
import { anyTable } from "./table.ts";

/** A new configuration in which every key has its default; the caller may change it. */
export function defaultConfig(): Config {
  const config = initial(anyTable) as unknown as Config;
  choosePaths(config.storage.trace);
  return config;
}

function initial(table: AnyTable): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(table)) {
    values[name] = isKey(entry) ? structuredClone(entry.default) : initial(entry);
  }
  return values;
}
