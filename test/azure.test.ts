// Azure Blob Storage against Microsoft's emulator: the store alone, then a whole Rubato on it.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
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
import { certificateIn } from "./support/certificate.ts";
import { checkKeptBlocks } from "./support/kept_blocks.ts";
import { Rubato } from "./support/rubato.ts";
import { checkTraces } from "./support/trace_reader.ts";

setDefaultTimeout(120_000);

const runtimes = ["bun", "deno"] as const;
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

  test.each(runtimes)("a server on %s keeps its blocks in Azure and finds them again", async (runtime) => {
    const container = await server.create(runtime);
    const copy = mkdtempSync(join(tmpdir(), "azure-blocks-"));
    const rubato = await Rubato.start({ runtime, settings: { storage: { trace: container.settings } } });
    try {
      await checkKeptBlocks(rubato, async () => {
        await copyObjects(container, copy);
        return copy;
      });
    } finally {
      await rubato.remove();
      rmSync(copy, { recursive: true });
    }
  });

  describe("Azure over TLS", () => {
    let folder: string;
    let secure: AzureServer;
    let cert: string;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "azure-tls-"));
      const files = certificateIn(folder, "DNS:rubatotest.blob.localhost");
      cert = files.cert;
      secure = await AzureServer.start(files);
    });
    afterAll(async () => {
      await secure?.remove();
      rmSync(folder, { recursive: true });
    });

    // On Bun alone: Deno leaves names below localhost to the system, which may not know them.
    test("a server asks with tokens of the app's identity, from every thread", async () => {
      const asked: string[] = [];
      const identities = createServer((request, response) => {
        asked.push(`${request.headers["x-identity-header"]} ${request.url}`);
        response.end(JSON.stringify({ access_token: unsignedToken(), expires_on: `${nowSeconds() + 3600}` }));
      });
      await new Promise<void>((resolve) => identities.listen(0, "127.0.0.1", resolve));
      const container = await secure.create("tokens");
      const azure = { ...container.settings.azure, storage_account_key: "", use_managed_identity: true };
      const endpoint = `http://127.0.0.1:${(identities.address() as AddressInfo).port}/msi/token`;
      const rubato = await Rubato.start({
        settings: { storage: { trace: { backend: "azure", azure } } },
        environment: {
          IDENTITY_ENDPOINT: endpoint,
          IDENTITY_HEADER: "s",
          NODE_EXTRA_CA_CERTS: cert,
        },
      });
      try {
        await runLoad({ ...loadDefaults, port: rubato.ports.otlpGrpc, spans: 5000 });
        await rubato.flush();
        const ids = [0, 1, 2].map((trace) => traceIdHex(loadDefaults.seed, trace));
        const whole = { whole: 3, missing: [], partial: [], repeated: [] };
        expect(await checkTraces(rubato, ids, spansPerTrace)).toEqual(whole);
        expect(asked.length).toBeGreaterThan(2); // main, shards, block workers
        for (const one of asked) expect(one).toStartWith("s /msi/token?api-version=2019-08-01&resource=");
      } finally {
        await rubato.remove();
        identities.close();
        identities.closeAllConnections();
      }
    });
  });
}

const nowSeconds = () => Math.floor(Date.now() / 1000);

/** What Azurite takes for a token of Microsoft Entra ID: it looks at what stands in it. */
function unsignedToken(): string {
  const claims = {
    aud: "https://storage.azure.com/",
    iss: "https://sts.windows.net/tenant/",
    iat: nowSeconds() - 60,
    nbf: nowSeconds() - 60,
    exp: nowSeconds() + 3600,
  };
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}.signature`;
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
