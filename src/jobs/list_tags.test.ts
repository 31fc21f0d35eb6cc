import { afterAll, describe, expect, test } from "bun:test";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixtures, haveFixtures } from "../block/encode_fixture.ts";
import type { BlockMeta } from "../block/meta.ts";
import { ReadCaches } from "../block/read_caches.ts";
import { openGolden } from "../block/read_fixture.ts";
import { LocalStore } from "../store/local_store.ts";
import { extractConditions, parseIdentifier } from "../traceql/index.ts";
import { BlockTagLister } from "./list_tags.ts";

const never = new AbortController().signal;
const namesQuery = { scope: "none", groups: null, limit: 0, bytesMax: 0 } as const;

const valuesQuery = (tag: string, filter = "", bounds = {}) => ({
  attribute: parseIdentifier(tag),
  groups: extractConditions(filter, { groupsMax: 100 }),
  limit: 0,
  bytesMax: 0,
  ...bounds,
});

async function metasOf(tenant: string): Promise<BlockMeta[]> {
  return (await openGolden({ root: "vParquet4", tenant })).map(({ meta }) => meta);
}

function listerOf(folder = join(fixtures, "vParquet4")): BlockTagLister {
  return new BlockTagLister(new LocalStore(folder), new ReadCaches());
}

describe.skipIf(!haveFixtures)("BlockTagLister", () => {
  const folder = mkdtempSync(join(tmpdir(), "list-tags-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const service = "resource.service.name";

  test("reads nothing when the same is asked again, also of some of the blocks", async () => {
    const metas = [...(await metasOf("rich")), ...(await metasOf("load")), ...(await metasOf("dedicated"))];
    const lister = listerOf();
    const first = await lister.tagNames({ query: namesQuery, metas }, never);
    expect(first.inspectedBytes).toBeGreaterThan(1000);
    expect(await lister.tagNames({ query: namesQuery, metas }, never)).toEqual({
      ...first,
      inspectedBytes: 0,
    });
    expect((await lister.tagNames({ query: namesQuery, metas: metas.slice(1) }, never)).inspectedBytes).toBe(
      0,
    );
    const values = await lister.tagValues({ query: valuesQuery(service), metas }, never);
    expect(await lister.tagValues({ query: valuesQuery(service), metas }, never)).toEqual({
      ...values,
      inspectedBytes: 0,
    });
    // With one more of each type, so that it can be joined.
    const limited = await lister.tagValues({ query: valuesQuery(service, "", { limit: 1 }), metas }, never);
    expect(limited.lists).toEqual({ int: ["12345"], string: ["accounting", "ad"] });
  });

  test("stops when all that there can be is found", async () => {
    const [meta] = await metasOf("compact");
    const filtered = valuesQuery(service, "{ name != nil }");
    const once = await listerOf().tagValues({ query: filtered, metas: [meta!] }, never);
    expect(once.inspectedBytes).toBeGreaterThan(0);
    // The same block twice: the second time nothing is missing.
    expect(await listerOf().tagValues({ query: filtered, metas: [meta!, meta!] }, never)).toEqual(once);
  });

  test("keeps the first that the bounds allow, over all blocks", async () => {
    const metas = await metasOf("compact");
    const lister = listerOf();
    const all = (await lister.tagValues({ query: valuesQuery("name"), metas }, never)).lists.string!;
    const bounded = valuesQuery("name", "", { limit: 3 });
    expect((await lister.tagValues({ query: bounded, metas }, never)).lists.string).toEqual(all.slice(0, 4));
    const some = valuesQuery("name", "{ status != error }", { limit: 2 });
    const found = (await lister.tagValues({ query: some, metas }, never)).lists.string!;
    expect(found.length).toBe(3);
    expect(found).toEqual(all.filter((name) => found.includes(name)));
  });

  test("tells of a block that is gone, and reads it if it comes back", async () => {
    cpSync(join(fixtures, "vParquet4/rich"), join(folder, "rich"), { recursive: true });
    cpSync(join(fixtures, "vParquet4/load"), join(folder, "load"), { recursive: true });
    const lister = listerOf(folder);
    const [meta] = await metasOf("rich");
    const [load] = await metasOf("load");
    const gone = { ...load!, blockID: "00000000-0000-4000-8000-000000000000" };
    const alone = await lister.tagValues({ query: valuesQuery(service), metas: [meta!] }, never);
    const together = lister.tagValues({ query: valuesQuery(service), metas: [meta!, gone] }, never);
    await expect(together).rejects.toMatchObject({ code: "block_gone" });
    cpSync(join(folder, "load", load!.blockID), join(folder, "load", gone.blockID), { recursive: true });
    const later = await lister.tagValues({ query: valuesQuery(service), metas: [meta!, gone] }, never);
    expect(later.lists.string).toContain("checkout");
    expect(later.lists.string!.length).toBeGreaterThan(alone.lists.string!.length);
  });

  test("has nothing of a block of a preview format", async () => {
    const [meta] = await metasOf("rich");
    const lister = listerOf();
    const preview = { ...meta!, format: "vParquet5-preview5" };
    expect(await lister.tagNames({ query: namesQuery, metas: [preview] }, never)).toEqual({
      lists: {},
      inspectedBytes: 0,
      isWhole: true,
    });
    const filtered = valuesQuery(service, "{ status = error }");
    expect(await lister.tagValues({ query: filtered, metas: [preview] }, never)).toEqual({
      lists: {},
      inspectedBytes: 0,
      isWhole: true,
    });
  });

  test("stops when it is cancelled", async () => {
    const metas = await metasOf("load");
    const many = Array.from({ length: 200 }, () => metas).flat();
    const client = new AbortController();
    const filtered = valuesQuery("span.http.url", "{ status = error }");
    const listing = listerOf().tagValues({ query: filtered, metas: many }, client.signal);
    client.abort();
    await expect(listing).rejects.toThrow("aborted");
  });
});
