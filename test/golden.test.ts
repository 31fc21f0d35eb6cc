// Blocks that a real Tempo wrote, read in place from ../shared/fixtures: every trace comes back as Tempo itself answered. Then
// the requests that those blocks were made from, sent to our server: the same answers from memory and from our own blocks.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Json } from "./conformance/placeholders.ts";
import { flatten } from "./conformance/traces.ts";
import { Rubato, root } from "./support/rubato.ts";

setDefaultTimeout(60_000); // servers start and stop in hooks and tests

const fixtures = join(root, "../shared/fixtures/tempo-blocks");

interface Recorded {
  name: string;
  path: string;
  params: Record<string, string>;
  status: number;
  body: { [key: string]: Json };
}

// Where our answer is not Tempo's, with the reason.
const keepsMore = "memory still has what columns cannot hold: both of two equal keys, an empty service name";
const preRelease = "sample block of a Tempo before 2.0 that Tempo 3 itself reads wrongly";
const differing =
  "spans that share id and kind but differ in content are all kept; Tempo keeps one when it compacts";
const wholeCharacters = "a value over the limit is cut between two characters; Tempo cuts through one";
const differences: [name: RegExp, reason: string][] = [
  [/^vParquet[34] single-tenant /, preRelease],
  [/^rich trace-(v1-)?11110000000000000000000000000001 from memory$/, keepsMore],
  [/^edge trace-888800000000000000000000000000(0f|11) from memory$/, keepsMore],
  [/^dedicated trace-66660000000000000000000000000008 from /, keepsMore],
  [/^compact trace-77770000000000000000000000000003 from /, differing],
  [/^rich trace-33330000000000000000000000000300 from /, wholeCharacters],
];

function compare(name: string, run: () => Promise<void>): void {
  const reason = differences.find(([pattern]) => pattern.test(name))?.[1];
  if (reason !== undefined) test.skip(`${name}: ${reason}`, () => {});
  else test(name, run);
}

function recorded(version: string, tenant: string): Recorded[] {
  const entries = JSON.parse(
    readFileSync(join(fixtures, "expected", version, `${tenant}.json`), "utf8"),
  ) as Recorded[];
  return entries.filter(({ name }) => name.startsWith("trace-"));
}

async function check(
  server: Rubato,
  tenant: string,
  { path, params, status, body }: Recorded,
  reduce: (spans: string[]) => string[],
): Promise<void> {
  const query = new URLSearchParams(params).toString();
  const answer = await server.request({
    path: query === "" ? path : `${path}?${query}`,
    headers: { Accept: "application/json", "X-Scope-OrgID": tenant },
  });
  expect(answer.status).toBe(status);
  if (status !== 200) return;
  expect(comparable(JSON.parse(answer.text()), reduce)).toEqual(comparable(body, reduce));
}

// Inspected bytes differ, and so may how spans are grouped and the order of attributes: memory keeps the client's, blocks their own.
function comparable(body: { [key: string]: Json }, reduce: (spans: string[]) => string[]): unknown {
  const { metrics: _, trace, batches, ...rest } = body;
  const spans = trace === undefined ? batches : (trace as { [key: string]: Json }).resourceSpans;
  return { rest, envelope: trace === undefined ? "batches" : "trace", spans: reduce(flatten(spans ?? [])) };
}

if (existsSync(fixtures)) {
  for (const version of ["vParquet3", "vParquet4", "vParquet5"]) {
    blocks(version, version, (tenant) => tenant);
  }
  blocks("foreign-vParquet4", "vParquet4", () => "rich");
  requests();
} else {
  test.skip(`golden blocks are missing: ${fixtures}`, () => {});
}

function blocks(folder: string, version: string, answersOf: (tenant: string) => string): void {
  describe(`blocks ${folder}`, () => {
    let server: Rubato;
    const home = mkdtempSync(join(tmpdir(), "rubato-golden-"));
    beforeAll(async () => {
      cpSync(join(fixtures, folder), join(home, "data", "blocks"), { recursive: true });
      server = await Rubato.start({ folder: home, settings: { multitenancy_enabled: true } });
    });
    afterAll(async () => {
      await server?.remove();
      rmSync(home, { recursive: true, force: true });
    });
    for (const tenant of tenantsOf(folder)) {
      const answers = answersOf(tenant);
      if (!existsSync(join(fixtures, "expected", version, `${answers}.json`))) continue;
      for (const one of recorded(version, answers)) {
        compare(`${folder} ${tenant} ${one.name}`, () => check(server, tenant, one, (spans) => spans));
      }
    }
  });
}

function tenantsOf(folder: string): string[] {
  return readdirSync(join(fixtures, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

function requests(): void {
  describe("requests", () => {
    let server: Rubato;
    const tenants = ["rich", "edge", "dedicated", "compact", "load"];
    beforeAll(async () => {
      server = await Rubato.start({ settings: { multitenancy_enabled: true } });
      for (const tenant of tenants) {
        const folder = join(fixtures, "inputs", tenant);
        const files = readdirSync(folder).filter((name) => /\.pb(\.gz)?$/.test(name));
        for (const name of files.sort()) {
          const bytes = readFileSync(join(folder, name));
          const answer = await server.otlp({
            method: "POST",
            path: "/v1/traces",
            headers: { "Content-Type": "application/x-protobuf", "X-Scope-OrgID": tenant },
            body: name.endsWith(".gz") ? gunzipSync(bytes) : bytes,
          });
          expect(answer.status).toBe(200);
        }
      }
    });
    afterAll(() => server?.remove());
    for (const place of ["memory", "our blocks"]) {
      describe(`from ${place}`, () => {
        if (place === "our blocks") test("flush", () => server.flush());
        for (const tenant of tenants) {
          for (const one of recorded("vParquet4", tenant)) {
            // A span that was sent twice is stored once here; a fresh block of Tempo's has it twice.
            compare(`${tenant} ${one.name} from ${place}`, () =>
              check(server, tenant, one, (spans) => [...new Set(spans)]),
            );
          }
        }
      });
    }
  });
}
