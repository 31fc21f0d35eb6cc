// Random metrics queries over random traces: the engine counts and measures what the row-by-row oracle does.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import type { Series } from "../src/query/metrics_types.ts";
import { labelsText, metricsDifferences } from "./conformance/metrics_answers.ts";
import { exemplarProblems } from "./support/exemplar_rules.ts";
import { metricsJson } from "./support/metrics_answer.ts";
import { engineSeries } from "./support/metrics_engine.ts";
import { anyGrid, metricsText } from "./support/metrics_for_traces.ts";
import { metricsOfQuery, type OracleGrid } from "./support/metrics_oracle.ts";
import { tracesOf } from "./support/oracle_traces.ts";
import { seriesByRows } from "./support/partial_by_rows.ts";
import { compile } from "./support/query_for_traces.ts";
import { requestOf, trace } from "./support/trace_arbitrary.ts";

/** Seeded, so that a failure comes again; another seed and more effort look further. */
const seed = Number(process.env.RUBATO_TEST_SEED ?? 29);
const effort = Number(process.env.RUBATO_TEST_EFFORT ?? 1);
setDefaultTimeout(60_000 * effort);

const baseSeconds = 1_768_471_200;
const exemplarsMax = 10;

function placed(index: number) {
  return {
    baseNanos: BigInt(baseSeconds + index) * 1_000_000_000n,
    traceId: (index + 1).toString(16).padStart(32, "a"),
  };
}

const someTraces = fc.array(trace, { minLength: 1, maxLength: 3 });
const grids = anyGrid(baseSeconds * 1000);

/** Series in their order. */
function expectEqual(got: Series[], right: Series[], grid: OracleGrid): void {
  const [answer, wanted] = [metricsJson(got, grid), metricsJson(right, grid)];
  expect(metricsDifferences(answer, wanted)).toEqual([]);
  expect(answer.series!.map(labelsText)).toEqual(wanted.series!.map(labelsText));
}

describe("series of partial results", () => {
  test("are the oracle's, in its order", () => {
    fc.assert(
      fc.property(someTraces, metricsText, grids, (requests, text, grid) => {
        const traces = tracesOf(requests.map((one, i) => requestOf(one, placed(i))));
        const query = compile(text)!;
        expectEqual(seriesByRows(query, traces, grid), metricsOfQuery(query, traces, grid).series, grid);
      }),
      { seed, numRuns: 500 * effort },
    );
  });
});

describe("columnar engine", () => {
  test("counts and measures what the oracle does", () => {
    fc.assert(
      fc.property(someTraces, metricsText, grids, (plain, text, grid) => {
        const requests = plain.map((one, i) => requestOf(one, placed(i)));
        const traces = tracesOf(requests);
        const query = compile(text)!;
        const { series: right, doubts } = metricsOfQuery(query, traces, grid);
        if (doubts.size > 0) return; // the language leaves open what is right
        const series = engineSeries(requests, query, grid, exemplarsMax);
        expectEqual(series, right, grid);
        expectEqual(engineSeries(requests, query, grid, 0, "growing"), right, grid);
        const { function: first, secondStages } = query.metrics!;
        if (secondStages.length > 0) return;
        expect(exemplarProblems(series, { first, grid, traces, exemplarsMax })).toEqual([]);
      }),
      { seed, numRuns: 500 * effort },
    );
  });
});
