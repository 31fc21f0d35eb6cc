// Metrics as a real Tempo answered them over its own blocks, asked of our server over the same blocks, and over the requests that those
// were made from. Where Tempo's answer is one of its known faults, the right one is worked out from the requests by the oracle, which
// has to agree with Tempo elsewhere.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { type NewBlockVersion, newBlockVersions } from "../src/block/new_block_versions.ts";
import { parseDuration } from "../src/traceql/index.ts";
import { labelsText, metricsDifferences } from "./conformance/metrics_answers.ts";
import type { MetricsJson } from "./conformance/metrics_checks.ts";
import {
  askRecorded,
  goldenFolder,
  homeWithBlocks,
  inputsOf,
  inputTenants,
  pushInputs,
  type Recorded,
  recorded,
  tenantsOf,
} from "./support/golden.ts";
import { instantGrid, metricsJson, rangeGrid } from "./support/metrics_answer.ts";
import { metricsOf } from "./support/metrics_oracle.ts";
import { type OracleTrace, requestFromBinary, tracesOf } from "./support/oracle_traces.ts";
import { Rubato } from "./support/rubato.ts";

setDefaultTimeout(60_000); // servers start and stop in hooks and tests

const settings = { multitenancy_enabled: true, query_frontend: { metrics: { max_duration: "0s" } } };

interface Difference {
  /** Of "folder tenant name", or of "tenant name" for requests. */
  pattern: RegExp;
  reason: string;
  /** What is right instead, or series that are not compared; without either the answer is not compared. */
  right?: "oracle" | { without: RegExp };
}

const miscounted =
  "resource\\.(service\\.namespace|(k8s\\.)?(cluster|container|namespace|pod)(\\.name)?)|span\\.(url\\.route|tags)|span:childCount";

const faultsOfTempo: Difference[] = [
  {
    pattern: /^vParquet[34] single-tenant /,
    reason: "sample block of a Tempo before 2.0 that Tempo 3 itself reads wrongly",
  },
  {
    pattern: /\bdedicated metrics-(by-tenant|by-attempt|by-label|sum)$/,
    reason: "Tempo loses arrays of attributes that have a dedicated column, and shows others as several nil",
    right: "oracle",
  },
  {
    pattern: /\bmetrics-sum$/,
    reason: "Tempo's sum starts again at a span without a value",
    right: "oracle",
  },
  {
    pattern: /\binstant-count$/,
    reason: "a service name that is no text counts as an empty one for Tempo",
    right: "oracle",
  },
  {
    pattern: /^vParquet3 \w+ metrics-(by-event|event-by)$/,
    reason: "Tempo doesn't search events of vParquet3",
    right: "oracle",
  },
  {
    pattern: /^vParquet[35] dedicated metrics-by-(shard|event)$/,
    reason: "Tempo loses values of other types than the dedicated column has, and of vParquet3 arrays",
    right: "oracle",
  },
  {
    pattern: /^vParquet3 \w+ metrics-compare$/,
    reason: "as below; besides Tempo knows no scopes of vParquet3",
    right: { without: new RegExp(`, (${miscounted}|instrumentation[.:][a-z.]+)=`) },
  },
  {
    pattern: /\bmetrics-compare$/,
    reason: "Tempo counts twice what the filter mentions, absent attributes that have a column, and children",
    right: { without: new RegExp(`, (${miscounted})=`) },
  },
];

const differencesOfRequests: Difference[] = [
  ...faultsOfTempo,
  {
    pattern: /\brich metrics-(rate|count-by-status|topk|step15|step-300-wide|unaligned)$/,
    reason: "a span that was sent twice is stored once; a fresh block of Tempo's has it twice",
    right: "oracle",
  },
  {
    pattern: /\bcompact metrics-compact-rate$/,
    reason:
      "spans that share id and kind but differ in content are all kept; Tempo keeps one when it compacts",
    right: "oracle",
  },
];

/** As they were sent. A fresh block of Tempo's has spans twice that were sent twice; we store them once. */
type Repeats = "kept" | "dropped";

const inputs = new Map<string, OracleTrace[]>();
function tracesOfTenant(answersOf: string, repeats: Repeats): OracleTrace[] {
  const tenant = answersOf === "smallrg" ? "rich" : answersOf; // the same data in smaller row groups
  const key = `${tenant} ${repeats}`;
  const traces = inputs.get(key) ?? tracesOf(inputsOf(tenant).map(requestFromBinary), repeats === "kept");
  inputs.set(key, traces);
  return traces;
}

function byOracle({ params, path }: Recorded, tenant: string, repeats: Repeats): MetricsJson {
  const [start, end] = [params.start!, params.end!].map((seconds) => BigInt(seconds) * 1_000_000_000n);
  const isInstant = path === "/api/metrics/query";
  const grid = isInstant ? instantGrid(start!, end!) : rangeGrid(start!, end!, parseDuration(params.step!)!);
  const { series } = metricsOf(params.q!, tracesOfTenant(tenant, repeats), grid);
  return metricsJson(series, grid);
}

function metricsOfTenant(version: string, tenant: string): Recorded[] {
  return (recorded(version, tenant) ?? []).filter(({ name }) => /^(metrics|instant)-/.test(name));
}

interface Question {
  label: string;
  one: Recorded;
  tenant: string; // that is asked
  answersOf: string; // tenant whose answers these are
  repeats: Repeats;
}

function declare(
  { label, one, tenant, answersOf, repeats }: Question,
  differences: Difference[],
  server: () => Rubato,
): void {
  const difference = differences.find(({ pattern }) => pattern.test(label));
  if (difference !== undefined && difference.right === undefined) {
    test.skip(`${label}: ${difference.reason}`, () => {});
    return;
  }
  test(difference === undefined ? label : `${label}: ${difference.reason}`, async () => {
    const answer = await askRecorded(server(), tenant, one);
    const status = difference?.right === "oracle" ? 200 : one.status;
    expect([answer.status, answer.status === 200 ? "" : answer.text()]).toEqual([status, ""]);
    const right =
      difference?.right === "oracle" ? byOracle(one, answersOf, repeats) : (one.body as MetricsJson);
    expect(compared(JSON.parse(answer.text()) as MetricsJson, right, difference)).toEqual([]);
  });
}

function compared(got: MetricsJson, right: MetricsJson, difference: Difference | undefined): string[] {
  const rule = difference?.right;
  if (rule === undefined || rule === "oracle") return metricsDifferences(got, right);
  const rest = ({ series = [] }: MetricsJson) => series.filter((one) => !rule.without.test(labelsText(one)));
  return metricsDifferences({ series: rest(got) }, { series: rest(right) });
}

if (existsSync(goldenFolder)) {
  oracle();
  for (const version of ["vParquet3", "vParquet4", "vParquet5"]) {
    blocks(version, version, (tenant) => tenant);
  }
  blocks("foreign-vParquet4", "vParquet4", () => "rich");
  for (const version of newBlockVersions) requests(version);
} else {
  test.skip(`golden blocks are missing: ${goldenFolder}`, () => {});
}

/** What is taken from the oracle where Tempo is wrong, it has to earn where Tempo is right. */
function oracle(): void {
  describe("oracle", () => {
    for (const tenant of inputTenants) {
      for (const one of metricsOfTenant("vParquet4", tenant)) {
        const label = `${tenant} ${one.name}`;
        const difference = faultsOfTempo.find(({ pattern }) => pattern.test(label));
        // A block that was compacted is no more what was sent.
        if (difference?.right === "oracle" || tenant === "compact") continue;
        test(label, () => {
          const answer = byOracle(one, tenant, "kept");
          expect(compared(answer, one.body as MetricsJson, difference)).toEqual([]);
        });
      }
    }
  });
}

function blocks(folder: string, version: string, answersOf: (tenant: string) => string): void {
  describe(`blocks ${folder}`, () => {
    let server: Rubato;
    beforeAll(async () => {
      server = await Rubato.start({ folder: homeWithBlocks(folder), settings });
    });
    afterAll(() => server?.remove());
    for (const tenant of tenantsOf(folder)) {
      for (const one of metricsOfTenant(version, answersOf(tenant))) {
        const label = `${folder} ${tenant} ${one.name}`;
        const question: Question = { label, one, tenant, answersOf: answersOf(tenant), repeats: "kept" };
        declare(question, faultsOfTempo, () => server);
      }
    }
  });
}

function requests(version: NewBlockVersion): void {
  describe(`requests, flushed as ${version}`, () => {
    let server: Rubato;
    beforeAll(async () => {
      server = await Rubato.start({ settings: { ...settings, storage: { trace: { block: { version } } } } });
      await pushInputs(server, inputTenants);
    });
    afterAll(() => server?.remove());
    for (const place of ["memory", "our blocks"]) {
      describe(`from ${place}`, () => {
        if (place === "our blocks") test("flush", () => server.flush());
        for (const tenant of inputTenants) {
          for (const one of metricsOfTenant(version, tenant)) {
            // Some of Tempo's faults are those of a version.
            const label = `${version === "vParquet4" ? "" : `${version} `}${tenant} ${one.name}`;
            const question: Question = { label, one, tenant, answersOf: tenant, repeats: "dropped" };
            declare(question, differencesOfRequests, () => server);
          }
        }
      });
    }
  });
}
