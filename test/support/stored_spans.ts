// What lies in a folder of blocks, read with DuckDB: an opinion that owes nothing to our own reader.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";

/** Data files of the blocks of a tenant that are whole: those with a meta.json. */
export function blockFiles(blocksFolder: string, tenant = "single-tenant"): string[] {
  const folder = join(blocksFolder, tenant);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((block) => existsSync(join(block, "meta.json")))
    .map((block) => join(block, "data.parquet"));
}

export interface StoredTrace {
  spans: number; // in all blocks together
  distinct: number; // by span id
}

/** Every stored trace by its id in hex. */
export async function storedTraces(files: string[]): Promise<Map<string, StoredTrace>> {
  const duck = await DuckDBInstance.create(":memory:");
  const connection = await duck.connect();
  try {
    const rows = await connection.runAndReadAll(`
      WITH resources AS (SELECT TraceID, unnest(rs) AS r FROM read_parquet([${files.map((file) => `'${file}'`).join(",")}])),
           scopes AS (SELECT TraceID, unnest(r.ss) AS s FROM resources),
           spans AS (SELECT TraceID, unnest(s.Spans).SpanID AS id FROM scopes)
      SELECT lower(hex(TraceID)) AS trace, count(*)::INTEGER AS spans, count(DISTINCT id)::INTEGER AS ids
      FROM spans GROUP BY TraceID`);
    return new Map(
      rows
        .getRows()
        .map(([trace, spans, ids]) => [String(trace), { spans: Number(spans), distinct: Number(ids) }]),
    );
  } finally {
    connection.closeSync();
    duck.closeSync();
  }
}
