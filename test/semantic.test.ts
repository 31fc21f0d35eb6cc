// The semantic TraceQL corpus, read in place from ../shared/conformance: every search and tags case as Tempo answered it, while the
// data is live and again from blocks. The oracle that the engine is tested against has to pass the same cases first.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readParseCases } from "../src/traceql/corpus_fixture.ts";
import { TraceQLError } from "../src/traceql/index.ts";
import {
  loadSemanticFiles,
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
import { searchJson } from "./support/oracle_answer.ts";
import { requestFromJson, tracesOf } from "./support/oracle_traces.ts";
import { Rubato, root } from "./support/rubato.ts";
import { searchTraces } from "./support/traceql_oracle.ts";

setDefaultTimeout(60_000); // servers start and stop in hooks and tests

const folder = join(root, "../shared/conformance/traceql-semantic");
const gaps: Record<string, string> = semanticGaps;
const limits = { limit: 100_000, spss: 100 };
const metricsReason = "metrics queries come after search";

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
          if (one.kind !== "search" || isAboutParameters(one)) continue;
          declare(one, () => askOracle(one));
        }
      });
    }
  });

  function askOracle(one: SemanticCase): void {
    const {
      startOffset = -60,
      endOffset = 3600,
      limit,
      spss = one.params?.omit?.includes("spss") ? 3 : 100,
    } = one.params ?? {};
    const traces = tracesOf(fixturesOf(one).flatMap(({ requests }) => requests.map(requestFromJson)));
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
            }
            const skipped = cases.filter(({ kind }) => kind === "metrics").length;
            if (skipped > 0) test.skip(`${skipped} metrics cases: ${metricsReason}`, () => {});
          });
        }
      });
    }
    describe("parse cases", () => parseCases(() => server));
  });

  async function askSearch(server: Rubato, one: SemanticCase): Promise<void> {
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

  async function askTags(server: Rubato, one: SemanticCase): Promise<void> {
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

/** Refused for a parameter beside a good query. */
function isAboutParameters({ expect: { status }, params }: SemanticCase): boolean {
  return status !== undefined && (params?.limit !== undefined || params?.spss !== undefined);
}

function get(server: Rubato, path: string, params: Record<string, string>) {
  return server.request({
    path: `${path}?${new URLSearchParams(params)}`,
    headers: { Accept: "application/json" },
  });
}

/** What is a query and what is not, as the endpoint says it. */
function parseCases(server: () => Rubato): void {
  const cases = (readParseCases() ?? []).filter(({ api = "search" }) => api === "search");
  const askedAtOnce = 50;
  for (let at = 0; at < cases.length; at += askedAtOnce) {
    test(`${at} to ${Math.min(at + askedAtOnce, cases.length)}`, async () => {
      const now = Math.floor(Date.now() / 1000);
      const params = { start: String(now - 95), end: String(now - 35), limit: "1" };
      const wrong: unknown[] = [];
      for (const { query, valid, stage } of cases.slice(at, at + askedAtOnce)) {
        const answer = await get(server(), "/api/search", { ...params, q: query });
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
