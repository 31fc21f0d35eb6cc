// The HTTP and gRPC corpus, read in place from ../shared/conformance: every case of the endpoints that exist, right after the push
// and again once everything lies in blocks. Cases that cannot pass yet are listed with their reason in known_gaps.json.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { StreamingClient } from "./conformance/grpc_calls.ts";
import { type GrpcCaseFile, loadGrpcCases, runGrpcCase } from "./conformance/grpc_runner.ts";
import knownGaps from "./conformance/known_gaps.json" with { type: "json" };
import { Renderer } from "./conformance/placeholders.ts";
import { type CaseFile, loadCases, type Phase, Runner } from "./conformance/runner.ts";
import type { Fixture } from "./conformance/traces.ts";
import { Rubato, root } from "./support/rubato.ts";

setDefaultTimeout(60_000); // servers start and stop in hooks and tests

const folder = join(root, "../shared/conformance/http");
const gaps: Record<string, string> = knownGaps;

const files: Record<string, string[]> = {
  base: [
    "trace-v1",
    "trace-v2",
    "querier",
    "search",
    "tags-v1",
    "tags-v2",
    "tag-values-v1",
    "tag-values-v2",
    "query-range",
    "query-instant",
    "status",
    "metrics-exposition",
    "ingest",
  ],
  tenants: ["tenants"],
  extras: [],
};
const grpcFiles: Record<string, string[]> = {
  base: ["grpc"],
  tenants: ["grpc-tenants"],
  extras: ["grpc-packets"],
};
const settings = {
  base: {
    storage: { trace: { blocklist_poll: "5s" } },
    query_frontend: { metrics: { max_duration: "24h" } }, // Tempo's, where ours is a week
  },
  tenants: { multitenancy_enabled: true },
  extras: { query_frontend: { max_grpc_streaming_packet_size: 2000 } },
};
const storedMsMax = 30_000;

function suite(config: "base" | "tenants" | "extras"): void {
  let server: Rubato;
  let runner: Runner;
  let renderer: Renderer;
  // Streams over the HTTP port, as Grafana asks them.
  let streaming: StreamingClient;
  const fixtures = new Map<string, Fixture>();
  const loaded = files[config]!.map((name) => loadCases(folder, name));
  const grpcLoaded = grpcFiles[config]!.map((name) => loadGrpcCases(folder, name));

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
    renderer = new Renderer(base);
    runner = new Runner({ http: server.ports.http, otlp: server.ports.otlpHttp }, renderer);
    streaming = new StreamingClient(server.ports.http);
    for (const { fixture } of [...loaded, ...grpcLoaded]) {
      if (fixture === undefined || fixtures.has(fixture)) continue;
      fixtures.set(fixture, runner.fixture(fixture));
      await runner.push(fixtures.get(fixture)!);
    }
  });
  afterAll(() => {
    streaming?.close();
    return server?.remove();
  });

  describe(`${config}: recent`, () => {
    test("every pushed trace is whole at once", () => stored("all"));
    for (const file of grpcLoaded) grpcCases(file, "recent");
    for (const file of loaded.filter(isOrdinary)) cases(file, "recent");
  });
  if (config === "base") {
    describe(`${config}: flushed`, () => {
      test("every pushed trace is whole in blocks after a flush", async () => {
        await server.flush();
        await stored("blocks");
      });
      for (const file of grpcLoaded) grpcCases(file, "flushed");
      for (const file of loaded.filter(isOrdinary)) cases(file, "flushed");
    });
  }
  describe(`${config}: last`, () => {
    for (const file of loaded.filter((one) => !isOrdinary(one))) cases(file, "recent");
  });

  function cases(file: CaseFile, phase: Phase): void {
    for (const one of inPhase(file, phase)) {
      const fixture = file.fixture;
      declare(one, () => runner.run(one, fixture === undefined ? null : (fixtures.get(fixture) ?? null)));
    }
  }

  function grpcCases(file: GrpcCaseFile, phase: Phase): void {
    for (const one of inPhase(file, phase)) declare(one, () => runGrpcCase(one, streaming, renderer));
  }
}

/** Others add traces, which would show in what the rest asks. */
function isOrdinary({ order = 0 }: CaseFile): boolean {
  return order === 0;
}

function inPhase<Case extends { phases?: Phase[] }>(
  file: { phases?: Phase[]; cases: Case[] },
  phase: Phase,
): Case[] {
  return file.cases.filter((one) => (one.phases ?? file.phases ?? ["recent", "flushed"]).includes(phase));
}

function declare(one: { id: string; endpoint: string; note?: string }, body: () => Promise<void>): void {
  const reason = gaps[one.id];
  if (reason !== undefined) test.skip(`${one.id}: ${reason}`, () => {});
  else test(`${one.id} ${one.endpoint} ${one.note ?? ""}`, body);
}

if (existsSync(folder)) {
  suite("base");
  suite("tenants");
  suite("extras");
  test("known gaps name cases that exist", () => {
    const all = [
      ...Object.values(files).flatMap((names) => names.map((name) => loadCases(folder, name))),
      ...Object.values(grpcFiles).flatMap((names) => names.map((name) => loadGrpcCases(folder, name))),
    ];
    const ids = all.flatMap(({ cases }) => (cases as { id: string }[]).map(({ id }) => id));
    expect(Object.keys(gaps).filter((id) => !ids.includes(id))).toEqual([]);
  });
} else {
  test.skip(`conformance corpus is missing: ${folder}`, () => {});
}
