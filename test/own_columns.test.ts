// A server that writes vParquet5 with dedicated columns of its own, of every kind: through a kill and into blocks, every trace comes back
// as a real Tempo with the same columns answered it, and searches find what lies in the columns.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { dedicatedOf } from "../src/block/encode_fixture.ts";
import type { Json } from "./conformance/placeholders.ts";
import { comparableSearch } from "./conformance/search_answers.ts";
import type { SearchJson } from "./conformance/semantic_checks.ts";
import { flatten } from "./conformance/traces.ts";
import { askRecorded, goldenFolder, pushInputs, recorded } from "./support/golden.ts";
import { Rubato } from "./support/rubato.ts";
import { blockFiles } from "./support/stored_spans.ts";

setDefaultTimeout(60_000); // the server starts and stops in hooks

const tenant = "dedicated";
/** Those that Tempo answers without a fault of its own; golden_search.test.ts names the others. */
const searches =
  /^search-(zone|dbquery|dbquery-eq|tenant|labels|codes|exc|exc-stack|code|zero|attempt-lt|wrong|empty)$/;

describe.skipIf(!existsSync(goldenFolder))("own columns of vParquet5", () => {
  let server: Rubato;
  beforeAll(async () => {
    const columns = dedicatedOf(tenant).map((column) => ({ ...column }));
    const block = { version: "vParquet5", parquet_dedicated_columns: columns };
    const search = { max_duration: "0s", max_result_limit: 100_000, max_spans_per_span_set: 10_000 };
    server = await Rubato.start({
      settings: { multitenancy_enabled: true, query_frontend: { search }, storage: { trace: { block } } },
    });
    await pushInputs(server, [tenant]);
    await server.kill();
    await server.restart();
    await server.flush();
  });
  afterAll(() => server?.remove());

  test("are in the blocks", () => {
    expect(blockFiles(join(server.dataFolder, "blocks"), tenant)).not.toEqual([]);
  });
  for (const one of recorded("vParquet5", tenant) ?? []) {
    const isSearch = searches.test(one.name);
    if (!isSearch && !one.name.startsWith("trace-")) continue;
    test(`give ${one.name} as Tempo does`, async () => {
      const answer = await askRecorded(server, tenant, one);
      expect(answer.status).toBe(one.status);
      const found = JSON.parse(answer.text());
      if (isSearch) {
        expect(comparableSearch(found)).toEqual(comparableSearch(one.body as unknown as SearchJson));
        return;
      }
      const spans = ({ trace, batches }: { [key: string]: Json }) =>
        flatten(trace === undefined ? (batches ?? []) : (trace as { [key: string]: Json }).resourceSpans!);
      expect(spans(found)).toEqual(spans(one.body));
    });
  }
});
