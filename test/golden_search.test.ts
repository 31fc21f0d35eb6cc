// Searches and lists of tags as a real Tempo answered them over its own blocks, asked of our server over the same blocks, and over
// the requests that those were made from. Where Tempo's answer is one of its known faults, the right one is worked out from the
// requests by the oracle.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { blockVersions } from "../src/block/meta.ts";
import { type NewBlockVersion, newBlockVersions } from "../src/block/new_block_versions.ts";
import type { BlockVersion } from "../src/block/schema.ts";
import { parseIdentifier } from "../src/traceql/index.ts";
import { comparableSearch, comparableTags } from "./conformance/search_answers.ts";
import type { SearchJson, TagsJson } from "./conformance/semantic_checks.ts";
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
import { homeWithMerged, mergedKinds } from "./support/merged_blocks.ts";
import { searchJson } from "./support/oracle_answer.ts";
import { tagNames, tagScopes, tagValues } from "./support/oracle_tags.ts";
import { type OracleTrace, requestFromBinary, tracesOf } from "./support/oracle_traces.ts";
import { Rubato } from "./support/rubato.ts";
import { searchTraces } from "./support/traceql_oracle.ts";

setDefaultTimeout(60_000); // servers start and stop in hooks and tests

const settings = {
  multitenancy_enabled: true,
  query_frontend: {
    search: { max_duration: "0s", max_result_limit: 100_000, max_spans_per_span_set: 10_000 },
  },
};
const nanosPerSecond = 1_000_000_000n;

interface Difference {
  /** Of "folder tenant name", or of "tenant name" for requests. */
  pattern: RegExp;
  reason: string;
  /** What is right instead; without it the answer is not compared. */
  right?: "oracle" | string[];
}

const faultsOfTempo: Difference[] = [
  {
    pattern: /^vParquet[34] single-tenant /,
    reason: "sample block of a Tempo before 2.0 that Tempo 3 itself reads wrongly",
  },
  {
    pattern: /^vParquet5 dedicated search-nil$/,
    reason: "vParquet5 loses empty arrays, and so that there are attributes",
  },
  {
    pattern: /\bsearch-event-time$/,
    reason: "Tempo skips pages with an event before its span's start",
    right: "oracle",
  },
  {
    pattern: /\bsearch-(span-id|span-id-padded|parent-id|link-span)$/,
    reason: "Tempo never finds ids with a leading zero byte",
    right: "oracle",
  },
  {
    pattern: /\bsearch-(nil|not-nil)$/,
    reason: "Tempo finds recorded absence only, and shows it as the text nil",
    right: "oracle",
  },
  { pattern: /\bdedicated search-labels-re$/, reason: "Tempo fails on !~ over an array", right: "oracle" },
  {
    pattern: /\b(dedicated|rich) search-select$/,
    reason: "Tempo fails on selected event attributes in vParquet3, and shows an absent one as the text nil",
    right: "oracle",
  },
  {
    pattern: /\bdedicated search-(team|shard|shard-gt|attempt|codes-neq)$/,
    reason: "Tempo loses arrays of attributes that have a dedicated column",
    right: "oracle",
  },
  {
    pattern:
      /^vParquet3 \w+ search-(scope-name|scope-version|event|event-int|link|array-\w+|zone|labels|codes|exc|exc-stack|code)$/,
    reason: "Tempo doesn't search arrays, events, links and scopes of vParquet3",
    right: "oracle",
  },
  {
    pattern: /\bsearch-(desc|child|sibling|union-desc|zipkin|below)$/,
    reason: "Tempo leaves out names that none of the query's conditions ask for",
    right: "oracle",
  },
  {
    pattern: /\bedge search-(all|wide|root|long|neg)$/,
    reason: "a trace that ends before it starts lasts 2^64 ns for Tempo, cut to 32 bits of milliseconds",
    right: "oracle",
  },
  {
    pattern: /\bsearch-empty-service$/,
    reason: "a service name that is no text counts as an empty one for Tempo, besides as what it is",
    right: "oracle",
  },
  {
    pattern: /\bsearch-child-count$/,
    reason: "Tempo knows no child counts before vParquet5",
    right: "oracle",
  },
  {
    pattern: /\bvalues-v2-status$/,
    reason: "Tempo lists stored numbers for what has a fixed list",
    right: ["keyword error", "keyword ok", "keyword unset"],
  },
  {
    pattern: /\bvalues-v2-kind$/,
    reason: "Tempo lists stored numbers for what has a fixed list",
    right: ["client", "consumer", "internal", "producer", "server", "unspecified"].map(
      (kind) => `keyword ${kind}`,
    ),
  },
  {
    pattern: /^vParquet3 rich values-v2-instrumentation.scope.attr$/,
    reason: "vParquet3 keeps no attributes of scopes",
    right: [],
  },
  {
    pattern: /(^vParquet[35] \w+|\bload|\bdedicated) (tags|values)-/,
    reason:
      "Tempo leaves out what lies in dedicated columns, and of vParquet3 arrays, events, links and scopes",
    right: "oracle",
  },
  {
    pattern: /\btags-v2-filtered$/,
    reason: "Tempo lists well-known attributes that no span of the filter has",
    right: "oracle",
  },
];

const repeatsStoredOnce: Difference = {
  pattern: /\brich search-(all|avg|nested-none|not-desc|unscoped)$/,
  reason: "a span that was sent twice is stored once; a fresh block of Tempo's has it twice",
  right: "oracle",
};

const differencesOfRequests: Difference[] = [
  {
    pattern: /\bdedicated values-v2-span.tenant.name$/,
    reason: "both of two equal keys are kept; Tempo's dedicated columns hold one",
  },
  repeatsStoredOnce,
  ...faultsOfTempo,
  {
    pattern: /\bcompact search-compact-all$/,
    reason:
      "spans that share id and kind but differ in content are all kept; Tempo keeps one when it compacts",
    right: "oracle",
  },
];

const differencesOfMerged: Difference[] = [
  {
    pattern: /\bedge search-(all|second|root|wide)$/,
    reason: "of two service names in one resource blocks keep the last, and what is merged is named by that",
  },
  {
    pattern: /\bcompact search-compact-all$/,
    reason:
      "of several roots the last one names the trace: that of the last block, in whichever order they come",
  },
  ...differencesOfRequests,
];

const inputs = new Map<string, OracleTrace[]>();
function tracesOfTenant(answersOf: string): OracleTrace[] {
  const tenant = answersOf === "smallrg" ? "rich" : answersOf; // the same data in smaller row groups
  let traces = inputs.get(tenant);
  if (traces === undefined) {
    traces = tracesOf(inputsOf(tenant).map(requestFromBinary));
    inputs.set(tenant, traces);
  }
  return traces;
}

type Comparable = { status: number; answer?: string[] };

const isSearch = ({ path }: Recorded) => path === "/api/search";

function comparable(one: Recorded, status: number, body: unknown, withStats: boolean): Comparable {
  if (status !== 200) return { status };
  if (!isSearch(one)) {
    // The constant list of intrinsics is Tempo's own matter.
    const answer = comparableTags(body as TagsJson).filter((text) => !text.startsWith("intrinsic."));
    return { status, answer: answer.filter((text) => !isNoService(one, text)) };
  }
  const { traces = [] } = body as SearchJson;
  // Of searches by tags Tempo tells less.
  const plain =
    withStats && one.params.q !== undefined ? traces : traces.map(({ serviceStats: _, ...trace }) => trace);
  return { status, answer: comparableSearch({ traces: plain }) };
}

/** Whether a missing service name is listed as an empty value is open. */
function isNoService({ path }: Recorded, text: string): boolean {
  return /service\.name\/values$/.test(path) && (text === "" || text === "string ");
}

/** The answer over the requests that the tenant was made from. */
function byOracle(one: Recorded, tenant: string, version: string): Comparable {
  const { path, params } = one;
  const traces = tracesOfTenant(tenant);
  if (isSearch(one)) {
    const { found } = searchTraces(params.q!, traces, {
      startNanos: BigInt(params.start!) * nanosPerSecond,
      endNanos: BigInt(params.end!) * nanosPerSecond,
    });
    const body = searchJson(found, { limit: Number(params.limit), spss: Number(params.spss) });
    return comparable(one, 200, body, version !== "vParquet3");
  }
  const [, version1] = /^\/api\/(v2\/)?/.exec(path)!;
  const values = /\/tag\/([^/]+)\/values$/.exec(path);
  if (values === null) {
    const stored =
      version === "vParquet3" ? tagScopes.filter((scope) => scope !== "instrumentation") : tagScopes;
    const scopes = stored.filter((scope) => params.scope === undefined || params.scope === scope);
    const names = tagNames(traces, scopes, params.q);
    return { status: 200, answer: version1 === undefined ? bare(names, ".") : names };
  }
  const name = decodeURIComponent(values[1]!);
  const found = tagValues(traces, parseIdentifier(version1 === undefined ? `.${name}` : name), params.q);
  const answer = version1 === undefined ? bare(found, " ") : found;
  return { status: 200, answer: answer.filter((text) => !isNoService(one, text)) };
}

/** What stands behind the scope or type. */
function bare(texts: string[], separator: string): string[] {
  return [...new Set(texts.map((text) => text.slice(text.indexOf(separator) + 1)))].sort();
}

function searchesAndTags(version: string, tenant: string): Recorded[] {
  const entries = recorded(version, tenant) ?? [];
  return entries.filter(({ name }) => /^(search|tags|values)-/.test(name));
}

interface Question {
  label: string;
  one: Recorded;
  tenant: string; // that is asked
  answersOf: string; // tenant whose answers these are
  version: string;
}

function declare(question: Question, differences: Difference[], ask: () => Promise<Comparable>): void {
  const { label, answersOf } = question;
  const canTell = ({ right }: Difference) => right !== "oracle" || answersOf !== "single-tenant"; // there are no requests
  const difference = differences.find((one) => one.pattern.test(label) && canTell(one));
  if (difference !== undefined && difference.right === undefined) {
    test.skip(`${label}: ${difference.reason}`, () => {});
    return;
  }
  test(difference === undefined ? label : `${label}: ${difference.reason}`, async () => {
    expect(await ask()).toEqual(rightAnswer(question, difference));
  });
}

function rightAnswer({ one, answersOf, version }: Question, difference: Difference | undefined): Comparable {
  if (difference?.right === "oracle") return byOracle(one, answersOf, version);
  if (difference?.right !== undefined) return { status: 200, answer: difference.right };
  return comparable(one, one.status, one.body, version !== "vParquet3");
}

async function ask(server: Rubato, { one, tenant, version }: Question): Promise<Comparable> {
  const answer = await askRecorded(server, tenant, one);
  const body = answer.status === 200 ? JSON.parse(answer.text()) : null;
  return comparable(one, answer.status, body, version !== "vParquet3");
}

if (existsSync(goldenFolder)) {
  for (const version of ["vParquet3", "vParquet4", "vParquet5"]) blocks(version, version, (tenant) => tenant);
  blocks("foreign-vParquet4", "vParquet4", () => "rich");
  for (const version of blockVersions) {
    for (const kind of mergedKinds) merged(kind, version);
  }
  for (const version of newBlockVersions) requests(version);
  oracle();
} else {
  test.skip(`golden blocks are missing: ${goldenFolder}`, () => {});
}

function blocks(folder: string, version: string, answersOf: (tenant: string) => string): void {
  describe(`blocks ${folder}`, () => {
    let server: Rubato;
    beforeAll(async () => {
      server = await Rubato.start({ folder: homeWithBlocks(folder), settings });
    });
    afterAll(() => server?.remove());
    for (const tenant of tenantsOf(folder)) {
      for (const one of searchesAndTags(version, answersOf(tenant))) {
        const label = `${folder} ${tenant} ${one.name}`;
        const question = { label, one, tenant, answersOf: answersOf(tenant), version };
        declare(question, faultsOfTempo, () => ask(server, question));
      }
    }
  });
}

/** What is taken from the oracle where Tempo is wrong, it has to earn where Tempo is right. */
function oracle(): void {
  describe("oracle", () => {
    for (const tenant of ["rich", "edge", "dedicated"]) {
      for (const one of searchesAndTags("vParquet4", tenant)) {
        const label = `${tenant} ${one.name}`;
        if (differencesOfRequests.some(({ pattern }) => pattern.test(label))) continue;
        if (isSearch(one) && (one.params.q === undefined || one.status !== 200)) continue;
        test(label, () => {
          const right = comparable(one, one.status, one.body, true);
          expect(byOracle(one, tenant, "vParquet4")).toEqual(right);
        });
      }
    }
  });
}

/** Some of Tempo's faults are those of a version. */
function labelOf(version: BlockVersion, tenant: string, { name }: Recorded): string {
  return version === "vParquet4" ? `${tenant} ${name}` : `${version} ${tenant} ${name}`;
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
          for (const one of searchesAndTags(version, tenant)) {
            const label = labelOf(version, tenant, one);
            const question = { label, one, tenant, answersOf: tenant, version };
            declare(question, differencesOfRequests, () => ask(server, question));
          }
        }
      });
    }
  });
}

function merged(kind: (typeof mergedKinds)[number], version: BlockVersion): void {
  // A merge leaves rows alone that lie in one block.
  const differences =
    kind === "Tempo's blocks"
      ? differencesOfMerged.filter((one) => one !== repeatsStoredOnce)
      : differencesOfMerged;
  describe(`${kind}, merged as ${version}`, () => {
    let server: Rubato;
    beforeAll(async () => {
      server = await Rubato.start({ folder: await homeWithMerged(kind, version, inputTenants), settings });
    });
    afterAll(() => server?.remove());
    for (const tenant of inputTenants) {
      for (const one of searchesAndTags(version, tenant)) {
        const label = labelOf(version, tenant, one);
        const question = { label, one, tenant, answersOf: tenant, version };
        declare(question, differences, () => ask(server, question));
      }
    }
  });
}
