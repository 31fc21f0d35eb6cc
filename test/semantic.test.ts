// The semantic TraceQL corpus, read in place from ../shared/conformance: every case as Tempo answered it, while the data is live and
// again from blocks. The oracle that the engine is tested against has to pass the same cases first.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readParseCases } from "../src/traceql/corpus_fixture.ts";
import { parseDuration, TraceQLError } from "../src/traceql/index.ts";
import { checkMetrics, type MetricsJson } from "./conformance/metrics_checks.ts";
import {
  loadSemanticFiles,
  type MetricsCase,
  type SearchCase,
  type SemanticCase,
  SemanticFixture,
  SemanticRun,
} from "./conformance/semantic_cases.ts";
import {
  checkSearch,
  checkStatus,
  checkTags,
  type SearchJson,
  type TagsJson,
} from "./conformance/semantic_checks.ts";
import semanticGaps from "./conformance/semantic_gaps.json" with { type: "json" };
import { instantGrid, metricsJson, rangeGrid } from "./support/metrics_answer.ts";
import { metricsOf } from "./support/metrics_oracle.ts";
import { searchJson } from "./support/oracle_answer.ts";
import { type OracleTrace, requestFromJson, tracesOf } from "./support/oracle_traces.ts";
import { Rubato, root } from "./support/rubato.ts";
import { searchTraces } from "./support/traceql_oracle.ts";

setDefaultTimeout(60_000); // servers start and stop in hooks and tests

const folder = join(root, "../shared/conformance/traceql-semantic");
const gaps: Record<string, string> = semanticGaps;
const limits = { limit: 100_000, spss: 100 };

if (existsSync(folder)) {
  const files = loadSemanticFiles(folder);
  const run = new SemanticRun(Date.now());
  const fixtures = new Map<string, SemanticFixture>();
  for (const path of files.flatMap(({ cases }) => cases.flatMap((one) => one.fixtures))) {
    if (!fixtures.has(path)) fixtures.set(path, new SemanticFixture(path, run));
  }
  const fixturesOf = (one: SemanticCase) => one.fixtures.map((path) => fixtures.get(path)!);

  test("known gaps are quirks and failures of Tempo's", () => {
    const cases = new Map(files.flatMap(({ cases }) => cases.map((one) => [one.id, one])));
    const allowed = ["quirk", "server-error"];
    const wrong = Object.keys(gaps).filter(
      (id) => !cases.get(id)?.tags?.some((tag) => allowed.includes(tag)),
    );
    expect(wrong).toEqual([]);
  });

  describe("oracle", () => {
    for (const { name, cases } of files) {
      describe(name, () => {
        for (const one of cases) {
          if (one.kind === "tags" || isAboutParameters(one)) continue;
          declare(one, () => (one.kind === "metrics" ? askMetricsOracle(one) : askOracle(one)));
        }
      });
    }
  });

  function askOracle(one: SearchCase): void {
    const {
      startOffset = -60,
      endOffset = 3600,
      limit,
      spss = one.params?.omit?.includes("spss") ? 3 : 100,
    } = one.params ?? {};
    const traces = oracleTraces(one);
    let answer: SearchJson;
    try {
      const { found } = searchTraces(run.fill(one.query), traces, {
        startNanos: run.nanos(startOffset * 1e9),
        endNanos: run.nanos(endOffset * 1e9),
      });
      answer = searchJson(found, { limit: Number(limit ?? limits.limit), spss });
    } catch (error) {
      if (!(error instanceof TraceQLError)) throw error;
      checkStatus(one.expect, 400, error.message);
      return;
    }
    checkStatus(one.expect, 200, "");
    checkSearch(one, answer, fixturesOf(one), run);
  }

  function askMetricsOracle(one: MetricsCase): void {
    const { startOffset = 0, endOffset = 0, step, instant = false } = one.params ?? {};
    const nanos = (offset: typeof startOffset) =>
      run.nanos(typeof offset === "number" ? offset * 1e9 : offset.nanos);
    const [start, end] = [nanos(startOffset), nanos(endOffset)];
    const grid = instant ? instantGrid(start, end) : rangeGrid(start, end, parseDuration(step!)!);
    const { series } = metricsOf(run.fill(one.query), oracleTraces(one), grid);
    checkMetrics(one, metricsJson(series, grid), fixturesOf(one), run);
  }

  function oracleTraces(one: SemanticCase): OracleTrace[] {
    return tracesOf(fixturesOf(one).flatMap(({ requests }) => requests.map(requestFromJson)));
  }

  describe("server", () => {
    let server: Rubato;
    beforeAll(async () => {
      server = await Rubato.start();
      for (const { requests } of new Set(fixtures.values())) {
        for (const request of requests) {
          const answer = await server.otlp({
            method: "POST",
            path: "/v1/traces",
            headers: { "Content-Type": "application/json" },
            body: Buffer.from(JSON.stringify(request)),
          });
          if (answer.status !== 200) throw new Error(`push of a fixture: ${answer.status} ${answer.text()}`);
        }
      }
    });
    afterAll(() => server?.remove());

    for (const phase of ["live", "stored"]) {
      describe(phase, () => {
        if (phase === "stored") test("flush", () => server.flush());
        for (const { name, cases } of files) {
          describe(name, () => {
            for (const one of cases) {
              if (one.kind === "search") declare(one, () => askSearch(server, one));
              if (one.kind === "tags") declare(one, () => askTags(server, one));
              if (one.kind === "metrics") declare(one, () => askMetrics(server, one));
            }
          });
        }
      });
    }
    describe("parse cases", () => parseCases(() => server));
    describe("parse cases of metrics", () => parseCases(() => server, "metrics"));
  });

  async function askSearch(server: Rubato, one: SearchCase): Promise<void> {
    const { startOffset = -60, endOffset = 3600, limit, spss, omit = [] } = one.params ?? {};
    const params: Record<string, string> = {
      q: run.fill(one.query),
      start: String(run.base + startOffset),
      end: String(run.base + endOffset),
      limit: String(limit ?? limits.limit),
      spss: String(spss ?? limits.spss),
    };
    for (const name of omit) delete params[name];
    const answer = await get(server, "/api/search", params);
    checkStatus(one.expect, answer.status, answer.text());
    if (answer.status === 200)
      checkSearch(one, JSON.parse(answer.text()) as SearchJson, fixturesOf(one), run);
  }

  async function askMetrics(server: Rubato, one: MetricsCase): Promise<void> {
    const { startOffset, endOffset, step, exemplars, instant = false } = one.params ?? {};
    const params: Record<string, string> = { q: run.fill(one.query) };
    if (startOffset !== undefined) params.start = run.time(startOffset);
    if (endOffset !== undefined) params.end = run.time(endOffset);
    if (step !== undefined) params.step = step;
    if (exemplars !== undefined) params.exemplars = String(exemplars);
    const answer = await get(server, instant ? "/api/metrics/query" : "/api/metrics/query_range", params);
    checkStatus(one.expect, answer.status, answer.text());
    if (answer.status === 200)
      checkMetrics(one, JSON.parse(answer.text()) as MetricsJson, fixturesOf(one), run);
  }

  async function askTags(server: Rubato, one: SearchCase): Promise<void> {
    const { startOffset = -60, endOffset = 3600, scope, limit, tag, version = "v2" } = one.params ?? {};
    const params: Record<string, string> = {
      start: String(run.base + startOffset),
      end: String(run.base + endOffset),
    };
    if (one.query !== "") params.q = run.fill(one.query);
    if (scope !== undefined) params.scope = scope;
    if (limit !== undefined) params.limit = String(limit);
    const prefix = version === "v2" ? "/api/v2/search" : "/api/search";
    const path = tag === undefined ? `${prefix}/tags` : `${prefix}/tag/${encodeURIComponent(tag)}/values`;
    const answer = await get(server, path, params);
    checkStatus(one.expect, answer.status, answer.text());
    if (answer.status === 200) checkTags(one, JSON.parse(answer.text()) as TagsJson, run);
  }
} else {
  test.skip(`semantic corpus is missing: ${folder}`, () => {});
}

function declare(one: SemanticCase, body: () => void | Promise<void>): void {
  const reason = gaps[one.id];
  if (reason === undefined) test(`${one.id} ${one.query} ${one.note ?? ""}`, body);
  else test.skip(`${one.id}: ${reason}`, () => {});
}

/** Refused for a parameter beside a good query, or a matter of what is answered without one, or of exemplars. */
function isAboutParameters({ kind, expect: { status, exemplars }, params }: SemanticCase): boolean {
  if (kind !== "metrics")
    return status !== undefined && (params?.limit !== undefined || params?.spss !== undefined);
  const isWithoutGrid = params?.step === undefined && !params?.instant;
  return status !== undefined || exemplars !== undefined || isWithoutGrid;
}

function get(server: Rubato, path: string, params: Record<string, string>) {
  return server.request({
    path: `${path}?${new URLSearchParams(params)}`,
    headers: { Accept: "application/json" },
  });
}

/** What is a query and what is not, as the endpoint says it. */
function parseCases(server: () => Rubato, asked: "search" | "metrics" = "search"): void {
  const cases = (readParseCases() ?? []).filter(({ api = "search" }) => api === asked);
  const path = asked === "search" ? "/api/search" : "/api/metrics/query_range";
  const askedAtOnce = 50;
  for (let at = 0; at < cases.length; at += askedAtOnce) {
    test(`${at} to ${Math.min(at + askedAtOnce, cases.length)}`, async () => {
      const now = Math.floor(Date.now() / 1000);
      const params = { start: String(now - 95), end: String(now - 35), limit: "1", step: "10s" };
      const wrong: unknown[] = [];
      for (const { query, valid, stage } of cases.slice(at, at + askedAtOnce)) {
        const answer = await get(server(), path, { ...params, q: query });
        const saysParse = answer.text().includes("parse error");
        const right = valid
          ? answer.status === 200
          : answer.status === 400 && (stage === "parse") === saysParse;
        if (!right)
          wrong.push({ query, valid, stage, status: answer.status, text: answer.text().slice(0, 200) });
      }
      expect(wrong).toEqual([]);
    });
  }
}
