import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  batchOf,
  dedicatedOf,
  fixtures,
  goldenBlocks,
  haveFixtures,
  inputs,
  write,
} from "./encode_fixture.ts";
import { blockVersions } from "./meta.ts";

const folder = mkdtempSync(join(tmpdir(), "rubato-duckdb-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function connect() {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  return async (query: string) => (await connection.runAndReadAll(query)).getRowObjectsJson();
}

test.skipIf(!haveFixtures).each(["vParquet4", "vParquet5"] as const)(
  "DuckDB reads what writeBlock() wrote as %s",
  async (version) => {
    const file = join(folder, "data.parquet");
    const batch = batchOf(inputs("load"));
    writeFileSync(
      file,
      (await write(batch, { version, pageBytesMax: 16_384, rowGroupBytesMax: 1_000_000 })).data,
    );
    const golden = join(fixtures, version, "load/*/data.parquet");
    // http.status_code is the third integer of the default columns.
    const code = version === "vParquet4" ? "span.HttpStatusCode" : "list_sum(span.DedicatedAttributes.Int03)";
    const ask = await connect();
    const query = (from: string) => `
    WITH spans AS (
      SELECT TraceIDText, unnest(rs, recursive := false) AS r FROM read_parquet('${from}')
    ), scoped AS (SELECT r.Resource.ServiceName AS service, unnest(r.ss) AS s FROM spans),
    flat AS (SELECT service, unnest(s.Spans) AS span FROM scoped)
    SELECT service, count(*) AS spans, sum(span.DurationNano) AS duration, sum(len(span.Attrs)) AS attributes,
      sum(list_sum([len(a.Key) + len(a.Value) + len(a.ValueInt) + len(a.ValueDouble) + len(a.ValueBool)
        FOR a IN span.Attrs])) AS lengths,
      sum(${code}) AS codes, max(span.Name) AS name, sum(len(span.Events)) AS events
    FROM flat GROUP BY service ORDER BY service`;
    const rows = (from: string) => ask(query(from));
    const ours = await rows(file);
    expect(ours.length).toBeGreaterThan(5);
    expect(ours).toEqual(await rows(golden));
    // Filters that DuckDB answers with the help of the chunks' bounds.
    const matching = (from: string, filter: string) =>
      ask(`SELECT count(*)::INT AS n FROM read_parquet('${from}') WHERE ${filter}`);
    for (const filter of ["TraceIDText < '1'", "DurationNano > 100000000", "RootServiceName = 'frontend'"]) {
      expect(await matching(file, filter)).toEqual(await matching(golden, filter));
    }
  },
);

test
  .skipIf(!haveFixtures)
  .each(
    blockVersions.flatMap((version) => ["dedicated", "edge"].map((tenant) => [version, tenant] as const)),
  )(
  "DuckDB reads from what writeBlock() wrote as %s of `%s` what it reads from Tempo's",
  async (version, tenant) => {
    const file = join(folder, "rows.parquet");
    const options = { version, dedicatedColumns: dedicatedOf(tenant), pageBytesMax: 2000 };
    writeFileSync(file, (await write(batchOf(inputs(tenant)), options)).data);
    const golden = join(goldenBlocks(tenant, version)[0]!, "data.parquet");
    const ask = await connect();
    // Tempo sorts the attributes of resources; their order means nothing.
    const rows = (from: string) => `
    SELECT * REPLACE ([
      {'Resource': struct_update(r.Resource, Attrs := list_sort([a::VARCHAR FOR a IN r.Resource.Attrs])), 'ss': r.ss}
      FOR r IN rs
    ] AS rs) FROM read_parquet('${from}')`;
    expect(await ask(`${rows(file)} EXCEPT ${rows(golden)}`)).toEqual([]);
    expect(await ask(`${rows(golden)} EXCEPT ${rows(file)}`)).toEqual([]);
  },
);
