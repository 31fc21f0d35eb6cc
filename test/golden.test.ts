// Blocks that a real Tempo wrote, read in place from ../shared/fixtures: every trace comes back as Tempo itself answered. Then
// the requests that those blocks were made from, sent to our server: the same answers from memory and from our own blocks.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { blockVersions } from "../src/block/meta.ts";
import { type NewBlockVersion, newBlockVersions } from "../src/block/new_block_versions.ts";
import type { BlockVersion } from "../src/block/schema.ts";
import type { Json } from "./conformance/placeholders.ts";
import { flatten } from "./conformance/traces.ts";
import {
  askRecorded,
  goldenFolder,
  homeWithBlocks,
  homeWithConverted,
  inputTenants,
  pushInputs,
  type Recorded,
  recorded,
  tenantsOf,
} from "./support/golden.ts";
import { homeWithMerged, mergedKinds } from "./support/merged_blocks.ts";
import { Rubato } from "./support/rubato.ts";

setDefaultTimeout(60_000); // servers start and stop in hooks and tests

// Where our answer is not Tempo's, with the reason.
const keepsMore = "memory still has what columns cannot hold: both of two equal keys, an empty service name";
const preRelease = "sample block of a Tempo before 2.0 that Tempo 3 itself reads wrongly";
const differing =
  "spans that share id and kind but differ in content are all kept; Tempo keeps one when it compacts";
const wholeCharacters = "a value over the limit is cut between two characters; Tempo cuts through one";
const ownColumns =
  "own columns of vParquet5 lose empty arrays and what tells one element from a list; we have no such column here";
const linkFlags = "only vParquet3 blocks of Tempo's have the flags of a link";
const differences: [name: RegExp, reason: string][] = [
  [/^vParquet[34] single-tenant /, preRelease],
  [/^rich trace-(v1-)?11110000000000000000000000000001 from memory, /, keepsMore],
  [/^edge trace-888800000000000000000000000000(0f|11) from memory, /, keepsMore],
  [/^dedicated trace-66660000000000000000000000000008 from /, keepsMore],
  [/^dedicated trace-6666000000000000000000000000000[45ad] from .* to vParquet5$/, ownColumns],
  [/^compact trace-77770000000000000000000000000003 from /, differing],
  [/^rich trace-(v1-)?11110000000000000000000000000001, vParquet3 converted to /, linkFlags],
  [
    /^rich trace-(v1-)?11110000000000000000000000000001 from a block of each request, .* vParquet3$/,
    linkFlags,
  ],
  [/^rich trace-33330000000000000000000000000300 from /, wholeCharacters],
];

function compare(name: string, run: () => Promise<void>): void {
  const reason = differences.find(([pattern]) => pattern.test(name))?.[1];
  if (reason !== undefined) test.skip(`${name}: ${reason}`, () => {});
  else test(name, run);
}

function recordedTraces(version: string, tenant: string): Recorded[] {
  return (recorded(version, tenant) ?? []).filter(({ name }) => name.startsWith("trace-"));
}

async function check(
  server: Rubato,
  tenant: string,
  one: Recorded,
  reduce: (spans: string[]) => string[],
): Promise<void> {
  const answer = await askRecorded(server, tenant, one);
  expect(answer.status).toBe(one.status);
  if (one.status !== 200) return;
  expect(comparable(JSON.parse(answer.text()), reduce)).toEqual(comparable(one.body, reduce));
}

// Inspected bytes differ, and so may how spans are grouped and the order of attributes: memory keeps the client's, blocks their own.
function comparable(body: { [key: string]: Json }, reduce: (spans: string[]) => string[]): unknown {
  const { metrics: _, trace, batches, ...rest } = body;
  const spans = trace === undefined ? batches : (trace as { [key: string]: Json }).resourceSpans;
  return { rest, envelope: trace === undefined ? "batches" : "trace", spans: reduce(flatten(spans ?? [])) };
}

if (existsSync(goldenFolder)) {
  for (const version of ["vParquet3", "vParquet4", "vParquet5"]) {
    blocks(version, version, (tenant) => tenant);
  }
  blocks("foreign-vParquet4", "vParquet4", () => "rich");
  for (const version of blockVersions) {
    for (const kind of mergedKinds) merged(kind, version);
  }
  for (const version of newBlockVersions) {
    requests(version);
    for (const from of ["vParquet3", "vParquet4", "vParquet5"]) converted(from, version);
  }
} else {
  test.skip(`golden blocks are missing: ${goldenFolder}`, () => {});
}

function blocks(folder: string, version: string, answersOf: (tenant: string) => string): void {
  describe(`blocks ${folder}`, () => {
    let server: Rubato;
    beforeAll(async () => {
      server = await Rubato.start({
        folder: homeWithBlocks(folder),
        settings: { multitenancy_enabled: true },
      });
    });
    afterAll(() => server?.remove());
    for (const tenant of tenantsOf(folder)) {
      for (const one of recordedTraces(version, answersOf(tenant))) {
        compare(`${folder} ${tenant} ${one.name}`, () => check(server, tenant, one, (spans) => spans));
      }
    }
  });
}

function requests(version: NewBlockVersion): void {
  describe(`requests, flushed as ${version}`, () => {
    let server: Rubato;
    beforeAll(async () => {
      const storage = { trace: { block: { version } } };
      server = await Rubato.start({ settings: { multitenancy_enabled: true, storage } });
      await pushInputs(server, inputTenants);
    });
    afterAll(() => server?.remove());
    for (const place of ["memory", "our blocks"]) {
      describe(`from ${place}`, () => {
        if (place === "our blocks") test("flush", () => server.flush());
        for (const tenant of inputTenants) {
          for (const one of recordedTraces(version, tenant)) {
            // A span that was sent twice is stored once here; a fresh block of Tempo's has it twice.
            compare(`${tenant} ${one.name} from ${place}, flushed to ${version}`, () =>
              check(server, tenant, one, (spans) => [...new Set(spans)]),
            );
          }
        }
      });
    }
  });
}

function merged(kind: (typeof mergedKinds)[number], version: BlockVersion): void {
  describe(`${kind}, merged as ${version}`, () => {
    let server: Rubato;
    beforeAll(async () => {
      const folder = await homeWithMerged(kind, version, inputTenants);
      server = await Rubato.start({ folder, settings: { multitenancy_enabled: true } });
    });
    afterAll(() => server?.remove());
    for (const tenant of inputTenants) {
      for (const one of recordedTraces(version, tenant)) {
        compare(`${tenant} ${one.name} from ${kind}, merged as ${version}`, () =>
          check(server, tenant, one, (spans) => [...new Set(spans)]),
        );
      }
    }
  });
}

function converted(from: string, version: NewBlockVersion): void {
  // Only in `rich` columns of vParquet5 get lists of one element, which come back as that.
  const answersOf = (tenant: string) => (tenant === "rich" && from === "vParquet4" ? version : from);
  describe(`${from}, converted to ${version}`, () => {
    let server: Rubato;
    beforeAll(async () => {
      const folder = homeWithConverted(from, version, inputTenants);
      server = await Rubato.start({ folder, settings: { multitenancy_enabled: true } });
    });
    afterAll(() => server?.remove());
    for (const tenant of inputTenants) {
      for (const one of recordedTraces(answersOf(tenant), tenant)) {
        compare(`${tenant} ${one.name}, ${from} converted to ${version}`, () =>
          check(server, tenant, one, (spans) => [...new Set(spans)]),
        );
      }
    }
  });
}
