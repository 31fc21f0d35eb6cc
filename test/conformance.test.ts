// The HTTP corpus, read in place from ../shared/conformance: every case of the endpoints that exist, right after the push and
// again once everything lies in blocks. Cases that cannot pass yet are listed with their reason in known_gaps.json.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import knownGaps from "./conformance/known_gaps.json" with { type: "json" };
import { Renderer } from "./conformance/placeholders.ts";
import { type CaseFile, loadCases, type Phase, Runner } from "./conformance/runner.ts";
import type { Fixture } from "./conformance/traces.ts";
import { Rubato, root } from "./support/rubato.ts";

setDefaultTimeout(60_000); // servers start and stop in hooks and tests

const folder = join(root, "../shared/conformance/http");
const gaps: Record<string, string> = knownGaps;

const files: Record<string, string[]> = {
  base: ["trace-v1", "trace-v2", "querier", "status", "metrics-exposition", "ingest"],
  tenants: ["tenants"],
};
const settings = {
  base: { storage: { trace: { blocklist_poll: "5s" } } },
  tenants: { multitenancy_enabled: true },
};
const storedMsMax = 30_000;

function suite(config: "base" | "tenants"): void {
  let server: Rubato;
  let runner: Runner;
  const fixtures = new Map<string, Fixture>();
  const loaded = files[config]!.map((name) => loadCases(folder, name));

  const stored = async (mode: "all" | "blocks") => {
    const deadline = performance.now() + storedMsMax;
    for (const fixture of fixtures.values()) {
      while (!(await runner.stored(fixture, mode))) {
        if (performance.now() > deadline)
          throw new Error(`a fixture trace is not in ${mode} after ${storedMsMax} ms`);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  };

  beforeAll(async () => {
    server = await Rubato.start({ settings: settings[config] });
    const base = Math.floor((Date.now() / 1000 - 70) / 10) * 10;
    runner = new Runner({ http: server.ports.http, otlp: server.ports.otlpHttp }, new Renderer(base));
    for (const { fixture } of loaded) {
      if (fixture === undefined || fixtures.has(fixture)) continue;
      fixtures.set(fixture, runner.fixture(fixture));
      await runner.push(fixtures.get(fixture)!);
    }
  });
  afterAll(() => server?.remove());

  describe(`${config}: recent`, () => {
    test("every pushed trace is whole at once", () => stored("all"));
    for (const file of loaded) cases(file, "recent");
  });
  if (config !== "base") return;
  describe(`${config}: flushed`, () => {
    test("every pushed trace is whole in blocks after a flush", async () => {
      await server.flush();
      await stored("blocks");
    });
    for (const file of loaded) cases(file, "flushed");
  });

  function cases(file: CaseFile, phase: Phase): void {
    for (const one of file.cases) {
      if (!(one.phases ?? file.phases ?? ["recent", "flushed"]).includes(phase)) continue;
      const reason = gaps[one.id];
      if (reason !== undefined) {
        test.skip(`${one.id}: ${reason}`, () => {});
        continue;
      }
      const fixture = file.fixture;
      test(`${one.id} ${one.endpoint} ${one.note ?? ""}`, () =>
        runner.run(one, fixture === undefined ? null : (fixtures.get(fixture) ?? null)));
    }
  }
}

if (existsSync(folder)) {
  suite("base");
  suite("tenants");
  test("known gaps name cases that exist", () => {
    const ids = Object.values(files)
      .flat()
      .flatMap((name) => loadCases(folder, name).cases.map((one) => one.id));
    expect(Object.keys(gaps).filter((id) => !ids.includes(id))).toEqual([]);
  });
} else {
  test.skip(`conformance corpus is missing: ${folder}`, () => {});
}
