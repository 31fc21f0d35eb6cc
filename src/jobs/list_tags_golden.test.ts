// Tags of the golden blocks, which Tempo 3.0.3 wrote: against what it answered, and against the same spans in a head.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SpanBatch } from "../batch/span_batch.ts";
import { fixtures, haveFixtures, inputs } from "../block/encode_fixture.ts";
import type { BlockMeta } from "../block/meta.ts";
import { ReadCaches } from "../block/read_caches.ts";
import { type GoldenTenant, goldenTenants, openGolden } from "../block/read_fixture.ts";
import type { AttributeOwner } from "../search/projection.ts";
import { tagNamesOfHeads, tagValuesOfHeads } from "../search/tags_heads.ts";
import type { NameLists, ValueLists } from "../search/tags_lists.ts";
import { LocalStore } from "../store/local_store.ts";
import { type Attribute, type ConditionGroup, extractConditions, parseIdentifier } from "../traceql/index.ts";
import { BlockTagLister } from "./list_tags.ts";

const never = new AbortController().signal;
const always = { start: 0, end: 0 };

interface Answer {
  name: string;
  path: string;
  params: Record<string, string>;
  body: {
    tagNames?: string[];
    scopes?: { name: string; tags: string[] }[];
    tagValues?: (string | { type: string; value?: string })[];
  };
}

async function metasOf(golden: GoldenTenant): Promise<BlockMeta[]> {
  return (await openGolden(golden)).map(({ meta }) => meta);
}

function listerOf(root: string): BlockTagLister {
  return new BlockTagLister(new LocalStore(join(fixtures, root)), new ReadCaches());
}

function groupsOf(filter: string): ConditionGroup[] | null {
  return extractConditions(filter, { groupsMax: 100 });
}

const namesQuery = (filter = "") =>
  ({ scope: "none", groups: groupsOf(filter), limit: 0, bytesMax: 0 }) as const;

const valuesQuery = (attribute: Attribute, filter = "") => ({
  attribute,
  groups: groupsOf(filter),
  limit: 0,
  bytesMax: 0,
});

function attributeOf(scope: AttributeOwner | "none", name: string): Attribute {
  return { kind: "attribute", parent: false, scope, name, position: { offset: 0, line: 1, column: 1 } };
}

/** Kinds in a fixed order. */
function sorted<Lists extends NameLists | ValueLists>(lists: Lists): [string, string[]][] {
  return Object.entries(lists).sort(([a], [b]) => (a < b ? -1 : 1));
}

// ---- Tempo's answers

/** What Tempo lists and should not. */
function isFault({ name }: Answer, tag: string): boolean {
  // An empty column of a service name, which blocks do not tell from none.
  if (name === "values-v1-service.name") return tag === "";
  if (name === "values-v2-resource.service.name") return tag === "string ";
  // Numbers of the columns, for which the front end gives keywords.
  if (name === "values-v2-status" || name === "values-v2-kind") return tag.startsWith("int ");
  // Columns of well-known attributes, whether or not a matching span has them.
  return name === "tags-v2-filtered" && (tag === "span http.status_code" || tag === "span http.url");
}

function isTags({ path }: Answer): boolean {
  return path.startsWith("/api/search/tag") || path.startsWith("/api/v2/search/tag");
}

/** What Tempo answered, as lines. */
function linesOf(answer: Answer): string[] {
  const { tagNames, scopes, tagValues } = answer.body;
  if (tagNames) return tagNames;
  const values = (tagValues ?? []).map((value) =>
    typeof value === "string" ? value : `${value.type} ${value.value ?? ""}`,
  );
  const names = (scopes ?? [])
    .filter(({ name }) => name !== "intrinsic")
    .flatMap(({ name, tags }) => tags.map((tag) => `${name} ${tag}`));
  return [...names, ...values];
}

/** What we answer, as lines. */
async function ourLines(lister: BlockTagLister, metas: BlockMeta[], answer: Answer): Promise<Set<string>> {
  const { path, params } = answer;
  const isV2 = path.startsWith("/api/v2/");
  const [, tag] = /\/tag\/(.*)\/values$/.exec(path) ?? [];
  const lines = new Set<string>();
  const add = (lists: NameLists | ValueLists): void => {
    for (const [kind, texts] of Object.entries(lists)) {
      for (const text of texts) lines.add(isV2 ? `${kind} ${text}` : text);
    }
  };
  if (tag === undefined) {
    const scope = (params.scope ?? "none") as AttributeOwner;
    add((await lister.tagNames({ query: { ...namesQuery(params.q), scope }, metas }, never)).lists);
  } else {
    const attribute = isV2 ? parseIdentifier(tag) : attributeOf("none", tag);
    add((await lister.tagValues({ query: valuesQuery(attribute, params.q), metas }, never)).lists);
  }
  return lines;
}

describe("lists what Tempo lists of its own blocks, but for its faults", () => {
  for (const golden of goldenTenants()) {
    const { root, tenant } = golden;
    // Re-encoded blocks hold what they were made from.
    const source = root === "foreign-vParquet4" ? "vParquet4/rich" : `${root}/${tenant}`;
    const file = source === "vParquet5/smallrg" ? "vParquet5/rich" : source;
    if (file.endsWith("/work.json") || source === "vParquet5/single-tenant") continue;
    test(`${root}/${tenant}`, async () => {
      const metas = await metasOf(golden);
      const lister = listerOf(root);
      const text = readFileSync(join(fixtures, "expected", `${file}.json`), "utf8");
      for (const answer of (JSON.parse(text) as Answer[]).filter(isTags)) {
        const ours = await ourLines(lister, metas, answer);
        const missing = linesOf(answer).filter((line) => !ours.has(line) && !isFault(answer, line));
        expect({ name: answer.name, missing }).toEqual({ name: answer.name, missing: [] });
      }
    });
  }
});

// ---- the same spans in a head: nothing beyond what they have is listed either

const intrinsics = [
  "name",
  "statusMessage",
  "rootName",
  "rootServiceName",
  "event:name",
  "instrumentation:name",
  "instrumentation:version",
].map((name) => parseIdentifier(name));

const filters = [
  "",
  "{ status = error }",
  "{ span.http.status_code >= 300 || resource.service.name =~ `.*o.*` }",
  "{ event:name != nil && trace:duration > 100ms }",
  "{ .region = `eu` && rootServiceName != `frontend` }",
];

/** Not as they were sent: Tempo cuts long values between bytes, and keeps the last of two equal keys in a column of its own. */
const changed: ReadonlySet<string> = new Set(["long.unicode", "tenant.name"]);

function headOf(tenant: string): SpanBatch {
  const batch = SpanBatch.create();
  for (const request of inputs(tenant === "smallrg" ? "rich" : tenant)) batch.decode(request, 2048);
  return batch;
}

describe.skipIf(!haveFixtures)("lists of blocks what is listed of a head with the same spans", () => {
  const tenants = ["rich", "dedicated"].flatMap((tenant) =>
    ["vParquet3", "vParquet4", "vParquet5"].map((root) => ({ root, tenant })),
  );
  for (const golden of [...tenants, { root: "vParquet4", tenant: "smallrg" }]) {
    const { root, tenant } = golden;
    test(`${root}/${tenant}`, async () => {
      const metas = await metasOf(golden);
      const lister = listerOf(root);
      const head = [headOf(tenant)];
      for (const filter of filters) {
        const live = tagNamesOfHeads(head, namesQuery(filter), always);
        // vParquet3 has no attributes of scopes.
        if (root === "vParquet3") delete live.instrumentation;
        const stored = await lister.tagNames({ query: namesQuery(filter), metas }, never);
        expect([filter, sorted(stored.lists)]).toEqual([filter, sorted(live)]);
        const targets = Object.entries(live).flatMap(([owner, names]) =>
          names
            .filter((name, i) => !changed.has(name) && (filter === "" || i % 5 === 0))
            .map((name) => attributeOf(owner as AttributeOwner, name)),
        );
        for (const attribute of [...targets, ...intrinsics]) {
          const query = valuesQuery(attribute, filter);
          const values = await lister.tagValues({ query, metas }, never);
          const expected = tagValuesOfHeads(head, query, always);
          expect([filter, attribute.name, sorted(values.lists)]).toEqual([
            filter,
            attribute.name,
            sorted(expected),
          ]);
        }
      }
    });
  }
});
