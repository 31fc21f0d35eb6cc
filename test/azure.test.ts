// Azure Blob Storage against Microsoft's emulator: the store alone, then a whole Rubato on it.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { traceIdHex } from "../bench/load/ids.ts";
import { loadDefaults, runLoad } from "../bench/load/run.ts";
import { spansPerTrace } from "../bench/load/shop.ts";
import type { AzureConfig } from "../src/config/config.ts";
import { defaultConfig } from "../src/config/defaults.ts";
import type { AzureRequests } from "../src/store/azure_request.ts";
import { AzureService } from "../src/store/azure_service.ts";
import { RemoteStore } from "../src/store/remote_store.ts";
import { openStore, type Store } from "../src/store/store.ts";
import { storeCases } from "../src/store/store_cases.ts";
import { StoreNotFound } from "../src/store/store_error.ts";
import { type AzureContainer, AzureServer, azuriteMissing } from "./support/azure_server.ts";
import { Rubato } from "./support/rubato.ts";
import { blockFiles, storedTraces } from "./support/stored_spans.ts";
import { checkTraces } from "./support/trace_reader.ts";

setDefaultTimeout(120_000);

const bytes = (text: string) => new TextEncoder().encode(text);
const never = () => new AbortController().signal;

let server: AzureServer;

function storeOn(container: AzureContainer, settings: Partial<AzureConfig> = {}): Store {
  const { trace } = defaultConfig().storage;
  const { azure } = container.settings;
  const all = { ...trace, backend: "azure" as const, azure: { ...trace.azure, ...azure, ...settings } };
  return openStore({ ...defaultConfig(), storage: { trace: all } });
}

function azureTests(): void {
  beforeAll(async () => {
    server = await AzureServer.start();
  });
  afterAll(() => server?.remove());

  storeCases("Azure", async () => {
    const container = await server.create("cases");
    const open = () => storeOn(container, { prefix: "/some/prefix" });
    return { store: open(), other: open(), close: () => {} };
  });

  describe("Azure", () => {
    let container: AzureContainer;
    beforeAll(async () => {
      container = await server.create("some");
    });

    test("lists page by page, each name once", async () => {
      const names = Array.from(
        { length: 40 },
        (_, i) => `${((i * 977) % 40).toString(16).padStart(2, "0")}-${i}`,
      );
      const options = { prefix: "", listsMax: 1, partBytes: 1 << 20, partsMax: 1 };
      const store = new RemoteStore(new AzureService(shortPages(container, 7)), options);
      const paths = names.flatMap((name) => [`pages/${name}/meta.json`, `pages/${name}/data.parquet`]);
      await Promise.all(paths.map((path) => store.write(path, bytes("{}"))));
      expect((await store.list("pages")).sort()).toEqual([...names].sort());
      await store.deleteAll("pages");
      expect(await store.list("pages")).toEqual([]);
    });

    test("keeps what two write at once under one name apart", async () => {
      const service = new AzureService(container.requests());
      const [one, other] = [await service.startUpload("twice"), await service.startUpload("twice")];
      const part = async (upload: typeof one, text: string) => ({
        number: 1,
        tag: await service.uploadPart(upload, 1, bytes(text), never()),
        bytes: text.length,
      });
      const parts = [await part(one, "one"), await part(other, "other")];
      await service.completeUpload(one, parts.slice(0, 1), never());
      // As after an answer that was lost.
      await service.completeUpload(one, parts.slice(0, 1), never());
      expect((await service.get("twice", null, never())).bytes).toEqual(bytes("one"));
      const late = service.completeUpload(other, parts.slice(1), never());
      await expect(late).rejects.toMatchObject({ reason: "NoSuchUpload", mayRetry: false });
      expect((await service.get("twice", null, never())).bytes).toEqual(bytes("one"));
    });

    test("says what the server says", async () => {
      const noContainer = storeOn(container, { container_name: "no-such-container" });
      await expect(noContainer.read("a/b")).rejects.toThrow(/read a\/b: status 404, ContainerNotFound: /);
      await expect(noContainer.size("a/b")).rejects.toThrow("ContainerNotFound");
      await expect(noContainer.read("a/b")).rejects.not.toBeInstanceOf(StoreNotFound);
      await expect(noContainer.list("")).rejects.toThrow("ContainerNotFound");
      const wrongKey = storeOn(container, { storage_account_key: "d3Jvbmc=" });
      await expect(wrongKey.write("a/b", bytes("x"))).rejects.toThrow(
        /write a\/b: status 403, AuthorizationFailure: /,
      );
    });
  });

  test.each(["bun", "deno"] as const)(
    "a server on %s keeps its blocks in Azure and finds them again",
    async (runtime) => {
      const container = await server.create(runtime);
      const rubato = await Rubato.start({ runtime, settings: { storage: { trace: container.settings } } });
      const copy = mkdtempSync(join(tmpdir(), "azure-blocks-"));
      try {
        const load = (seed: number) =>
          runLoad({ ...loadDefaults, port: rubato.ports.otlpGrpc, seed, spans: 20_000, seconds: 30 });
        const flushed = await load(1);
        await rubato.flush();
        const killed = await load(2);
        await rubato.kill(); // with the second half in its log
        await rubato.restart();
        await rubato.flush();
        const ids = [
          ...Array.from(flushed.acknowledged, (trace) => traceIdHex(1, trace)),
          ...Array.from(killed.acknowledged, (trace) => traceIdHex(2, trace)),
        ];
        expect(ids).toHaveLength(40_000 / spansPerTrace);
        const some = ids.filter((_, i) => i % 50 === 0);
        const whole = { whole: some.length, missing: [], partial: [], repeated: [] };
        expect(await checkTraces(rubato, some, spansPerTrace)).toEqual(whole);
        await rubato.stop();
        await rubato.restart();
        expect(await checkTraces(rubato, some, spansPerTrace)).toEqual(whole);
        const found = await rubato.request(`/api/search?q=${encodeURIComponent("{}")}&limit=5`);
        expect(found.status).toBe(200);
        await rubato.stop();
        // On the disk there is the log alone.
        expect(readdirSync(rubato.dataFolder, { recursive: true }).map(String)).not.toContainEqual(
          expect.stringContaining("data.parquet"),
        );
        await copyObjects(container, copy);
        const stored = await storedTraces(blockFiles(copy));
        expect([...stored.keys()].sort()).toEqual([...ids].sort());
        for (const { spans } of stored.values()) expect(spans).toBe(spansPerTrace);
      } finally {
        await rubato.remove();
        rmSync(copy, { recursive: true });
      }
    },
  );
}

/** The service's pages have 5,000 names. */
function shortPages(container: AzureContainer, namesMax: number): AzureRequests {
  const requests = container.requests();
  const { ask } = requests;
  requests.ask = ({ query, ...question }, ...rest) => {
    const isListing = query?.comp === "list";
    return ask.call(
      requests,
      { ...question, query: { ...query, ...(isListing && { maxresults: `${namesMax}` }) } },
      ...rest,
    );
  };
  return requests;
}

/** Everything in the container, as files that others can read. */
async function copyObjects(container: AzureContainer, folder: string): Promise<void> {
  const service = new AzureService(container.requests());
  const { keys } = await service.list({ prefix: "", grouped: false }, never());
  for (const key of keys) {
    const path = join(folder, key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, (await service.get(key, null, never())).bytes);
  }
}

if (azuriteMissing) test.skip(`Azure: ${azuriteMissing}`, () => {});
else azureTests();
