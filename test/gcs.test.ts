// Google Cloud Storage against a server that speaks its API: the store alone, then a whole Rubato on it.
import { setDefaultTimeout, test } from "bun:test";
import type { GcsConfig } from "../src/config/config.ts";
import { defaultConfig } from "../src/config/defaults.ts";
import { openStore, type Store } from "../src/store/store.ts";
import { storeCases } from "../src/store/store_cases.ts";
import { fakeGcsServerMissing, GcsServer } from "./support/gcs_server.ts";

setDefaultTimeout(60_000);

function storeOn(server: GcsServer, settings: Partial<GcsConfig> = {}): Store {
  const { trace } = defaultConfig().storage;
  const { gcs } = server.settings();
  const all = { ...trace, backend: "gcs" as const, gcs: { ...trace.gcs, ...gcs, ...settings } };
  return openStore({ ...defaultConfig(), storage: { trace: all } });
}

function gcsTests(): void {
  storeCases("GCS", async () => {
    const server = await GcsServer.start();
    const open = () => storeOn(server, { prefix: "/some/prefix" });
    return { store: open(), other: open(), close: () => server.remove() };
  });
}

if (fakeGcsServerMissing) test.skip(`GCS: ${fakeGcsServerMissing}`, () => {});
else gcsTests();
