// S3 against a real server: the store alone, then a whole Rubato on it.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { S3Config } from "../src/config/config.ts";
import { defaultConfig } from "../src/config/defaults.ts";
import { openStore, type Store } from "../src/store/store.ts";
import { storeCases } from "../src/store/store_cases.ts";
import { StoreError, StoreNotFound } from "../src/store/store_error.ts";
import { certificateIn } from "./support/certificate.ts";
import { checkKeptBlocks } from "./support/kept_blocks.ts";
import { Rubato } from "./support/rubato.ts";
import { S3Server, versitygwMissing } from "./support/s3_server.ts";

setDefaultTimeout(60_000);

const bytes = (text: string) => new TextEncoder().encode(text);

function storeOn(server: S3Server, settings: Partial<S3Config> = {}): Store {
  const { trace } = defaultConfig().storage;
  const { s3 } = server.settings();
  const all = { ...trace, backend: "s3" as const, s3: { ...trace.s3, ...s3, ...settings } };
  return openStore({ ...defaultConfig(), storage: { trace: all } });
}

function s3Tests(): void {
  storeCases("S3", async () => {
    const server = await S3Server.start();
    const open = () => storeOn(server, { prefix: "/some/prefix", part_size: 5 << 20 });
    return { store: open(), other: open(), close: () => server.remove() };
  });

  describe("S3", () => {
    let server: S3Server;
    beforeAll(async () => {
      server = await S3Server.start({ virtualDomain: "localhost" });
    });
    afterAll(() => server?.remove());

    test("lists more than a page of names, each once", async () => {
      const store = storeOn(server, { list_blocks_concurrency: 4 });
      const names = Array.from(
        { length: 1100 },
        (_, i) => `${((i * 977) % 1100).toString(16).padStart(3, "0")}-${i}`,
      );
      const block = bytes("{}");
      for (let from = 0; from < names.length; from += 100) {
        const some = names.slice(from, from + 100);
        await Promise.all(some.map((name) => store.write(`pages/${name}/meta.json`, block)));
      }
      expect((await store.list("pages")).sort()).toEqual([...names].sort());
      await store.deleteAll("pages");
      expect(await store.list("pages")).toEqual([]);
    });

    test("addresses the bucket by the name of the host", async () => {
      const endpoint = `localhost:${server.port}`;
      const store = storeOn(server, { endpoint, bucket_lookup_type: 1 });
      await store.write("virtual/b/x", bytes("there"));
      expect(await storeOn(server).read("virtual/b/x")).toEqual(bytes("there"));
    });

    test("says what the server says", async () => {
      const once = { retry_max_attempts: 1 };
      const noBucket = storeOn(server, { ...once, bucket: "no-such-bucket" });
      await expect(noBucket.read("a/b")).rejects.toThrow(/read a\/b: status 404, NoSuchBucket/);
      await expect(noBucket.read("a/b")).rejects.not.toBeInstanceOf(StoreNotFound);
      await expect(noBucket.list("")).rejects.toThrow("NoSuchBucket");
      const wrongKey = storeOn(server, { secret_key: "wrong" });
      await expect(wrongKey.write("a/b", bytes("x"))).rejects.toThrow(/status 403, SignatureDoesNotMatch/);
      const nobody = storeOn(server, { ...once, endpoint: "127.0.0.1:1" });
      await expect(nobody.read("a/b")).rejects.toThrow(/cannot read a\/b: /);
      await expect(nobody.read("a/b")).rejects.toBeInstanceOf(StoreError);
    });

    test("sends tags, metadata and a storage class that the server takes", async () => {
      const store = storeOn(server, {
        tags: { team: "tracing + more" },
        metadata: { owner: "rubato" },
        storage_class: "STANDARD",
        part_size: 5 << 20,
      });
      await store.write("facts/b/x", bytes("x"));
      const writer = await store.create("facts/b/large");
      await writer.write(new Uint8Array(6 << 20));
      await writer.close();
      expect(await store.size("facts/b/large")).toBe(6 << 20);
    });
  });

  describe("S3 over TLS", () => {
    let folder: string;
    let server: S3Server;
    const cert = () => join(folder, "cert.pem");
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "s3-tls-"));
      server = await S3Server.start({ tls: certificateIn(folder, "DNS:storage.test") });
    });
    afterAll(async () => {
      await server?.remove();
      rmSync(folder, { recursive: true });
    });

    test("trusts the authority that is configured, for the name that is configured", async () => {
      const trusting = storeOn(server, {
        insecure: false,
        tls_ca_path: cert(),
        tls_server_name: "storage.test",
      });
      await trusting.write("tls/b/x", bytes("x"));
      expect(await trusting.read("tls/b/x")).toEqual(bytes("x"));
      const skipping = storeOn(server, { insecure: false, tls_insecure_skip_verify: true });
      expect(await skipping.read("tls/b/x")).toEqual(bytes("x"));
    });

    test("refuses a server that nobody vouches for, or of another name, at once", async () => {
      for (const settings of [
        {},
        { tls_ca_path: cert() },
        { tls_ca_path: cert(), tls_server_name: "other.test" },
      ]) {
        const store = storeOn(server, { insecure: false, retry_backoff_initial: 600_000, ...settings });
        await expect(store.read("tls/b/x"), JSON.stringify(settings)).rejects.toThrow(/cannot read .*cert/i);
      }
    });

    test("names the key of a file that is missing", () => {
      expect(() => storeOn(server, { tls_ca_path: "/nowhere/ca.pem" })).toThrow(
        "storage.trace.s3.tls_ca_path: /nowhere/ca.pem can't be read",
      );
    });
  });

  test.each(["bun", "deno"] as const)(
    "a server on %s keeps its blocks in S3 and finds them again",
    async (runtime) => {
      const server = await S3Server.start();
      const rubato = await Rubato.start({ runtime, settings: { storage: { trace: server.settings() } } });
      try {
        // The bucket is a folder.
        await checkKeptBlocks(rubato, () => join(server.folder, "buckets", server.bucket));
      } finally {
        await rubato.remove();
        await server.remove();
      }
    },
  );
}

if (versitygwMissing) test.skip(`S3: ${versitygwMissing}`, () => {});
else s3Tests();
