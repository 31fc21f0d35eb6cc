// Google Cloud Storage against a server that speaks its API: the store alone, then a whole Rubato on it.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { traceIdHex } from "../bench/load/ids.ts";
import { loadDefaults, runLoad } from "../bench/load/run.ts";
import { spansPerTrace } from "../bench/load/shop.ts";
import type { GcsConfig } from "../src/config/config.ts";
import { defaultConfig } from "../src/config/defaults.ts";
import { openStore, type Store } from "../src/store/store.ts";
import { storeCases } from "../src/store/store_cases.ts";
import { certificateIn } from "./support/certificate.ts";
import { fakeGcsServerMissing, GcsServer } from "./support/gcs_server.ts";
import { checkKeptBlocks } from "./support/kept_blocks.ts";
import { Rubato } from "./support/rubato.ts";
import { checkTraces } from "./support/trace_reader.ts";

setDefaultTimeout(60_000);

const runtimes = ["bun", "deno"] as const;
const bytes = (text: string) => new TextEncoder().encode(text);

function storeOn(server: GcsServer, settings: Partial<GcsConfig> = {}): Store {
  const { trace } = defaultConfig().storage;
  const { gcs } = server.settings();
  const all = { ...trace, backend: "gcs" as const, gcs: { ...trace.gcs, ...gcs, ...settings } };
  return openStore({ ...defaultConfig(), storage: { trace: all } });
}

function gcsTests(): void {
  storeCases("GCS", async () => {
    const server = await GcsServer.start();
    // Not a multiple of what the service takes: chunks are made a little larger.
    const open = () => storeOn(server, { prefix: "/some/prefix", chunk_buffer_size: 3_000_000 });
    return { store: open(), other: open(), close: () => server.remove() };
  });

  describe("GCS", () => {
    let server: GcsServer;
    beforeAll(async () => {
      server = await GcsServer.start();
    });
    afterAll(() => server?.remove());

    test("lists and deletes more than a page of names, each once", async () => {
      const store = storeOn(server, { list_blocks_concurrency: 4 });
      const names = Array.from({ length: 1100 }, (_, i) => `${((i * 977) % 1100).toString(16)}-${i}`);
      for (let from = 0; from < names.length; from += 100) {
        const some = names.slice(from, from + 100);
        await Promise.all(some.map((name) => store.write(`pages/${name}/meta.json`, bytes("{}"))));
      }
      expect((await store.list("pages")).sort()).toEqual([...names].sort());
      await store.deleteAll("pages");
      expect(await store.list("pages")).toEqual([]);
    });

    test("says what the server says", async () => {
      const noBucket = storeOn(server, { bucket_name: "no-such-bucket", max_retries: 0 });
      await expect(noBucket.list("")).rejects.toThrow(/list gs:\/\/no-such-bucket\/: status 404, notFound/);
      const written = noBucket.write("a/b", bytes("x"));
      await expect(written).rejects.toThrow("cannot write gs://no-such-bucket/a/b: status 404, notFound");
      const nobody = storeOn(server, { endpoint: "http://127.0.0.1:1", max_retries: 0 });
      await expect(nobody.read("a/b")).rejects.toThrow("cannot read gs://traces/a/b: ");
    });

    test("keeps the metadata and the Cache-Control of objects, large and small", async () => {
      const settings = { object_cache_control: "no-cache", object_metadata: { owner: "rubato" } };
      const store = storeOn(server, { ...settings, chunk_buffer_size: 1 << 20 });
      await store.write("facts/b/small", bytes("x"));
      const writer = await store.create("facts/b/large");
      await writer.write(new Uint8Array((2 << 20) + 1));
      await writer.close();
      for (const name of ["small", "large"]) {
        const url = `${server.endpoint}b/traces/o/${encodeURIComponent(`facts/b/${name}`)}`;
        const facts = (await (await fetch(url)).json()) as object;
        expect(facts).toMatchObject({ cacheControl: "no-cache", metadata: { owner: "rubato" } });
      }
    });
  });

  describe("GCS over TLS", () => {
    let folder: string;
    let server: GcsServer;
    const cert = () => join(folder, "cert.pem");
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "gcs-tls-"));
      server = await GcsServer.start(certificateIn(folder, "IP:127.0.0.1"));
    });
    afterAll(async () => {
      await server?.remove();
      rmSync(folder, { recursive: true });
    });

    test("leaves the certificate unchecked where it is insecure", async () => {
      const insecure = storeOn(server);
      await insecure.write("tls/b/x", bytes("x"));
      expect(await insecure.read("tls/b/x")).toEqual(bytes("x"));
    });

    test.each(runtimes)(
      "a server on %s asks with the token of its machine, from every thread",
      async (runtime) => {
        let tokens = 0;
        const metadata = createServer((request, response) => {
          response.writeHead(200, { "metadata-flavor": "Google", "content-type": "application/json" });
          const isToken = request.url!.includes("/service-accounts/default/token");
          if (isToken) tokens++;
          response.end(isToken ? '{"access_token":"t","expires_in":3600,"token_type":"Bearer"}' : "{}");
        });
        await new Promise<void>((resolve) => metadata.listen(0, "127.0.0.1", resolve));
        const host = `127.0.0.1:${(metadata.address() as AddressInfo).port}`;
        const { backend, gcs } = server.settings();
        const trace = { backend, gcs: { ...gcs, insecure: false, prefix: runtime } };
        const rubato = await Rubato.start({
          runtime,
          settings: { storage: { trace } },
          environment: { GCE_METADATA_HOST: host, NODE_EXTRA_CA_CERTS: cert(), DENO_CERT: cert() },
        });
        try {
          expect(tokens).toBe(1);
          await runLoad({ ...loadDefaults, port: rubato.ports.otlpGrpc, spans: 5000 });
          await rubato.flush();
          const ids = [0, 1, 2].map((trace) => traceIdHex(loadDefaults.seed, trace));
          const whole = { whole: 3, missing: [], partial: [], repeated: [] };
          expect(await checkTraces(rubato, ids, spansPerTrace)).toEqual(whole);
          expect(tokens).toBeGreaterThan(2); // main, shards, block workers
        } finally {
          await rubato.remove();
          metadata.close();
          metadata.closeAllConnections();
        }
      },
    );
  });

  test.each(runtimes)("a server on %s keeps its blocks in GCS and finds them again", async (runtime) => {
    const server = await GcsServer.start();
    const rubato = await Rubato.start({ runtime, settings: { storage: { trace: server.settings() } } });
    try {
      await checkKeptBlocks(rubato, () => join(server.folder, server.bucket));
    } finally {
      await rubato.remove();
      await server.remove();
    }
  });
}

if (fakeGcsServerMissing) test.skip(`GCS: ${fakeGcsServerMissing}`, () => {});
else gcsTests();
