// The cases of every store, on those that need no server; the others have them in test/s3.test.ts, gcs.test.ts and azure.test.ts.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CachedStore } from "./cached_store.ts";
import { ChunkCache } from "./chunk_cache.ts";
import { LocalStore } from "./local_store.ts";
import { MemoryService } from "./memory_service_fixture.ts";
import { MemoryStore } from "./memory_store_fixture.ts";
import { RemoteStore } from "./remote_store.ts";
import { storeCases } from "./store_cases.ts";

storeCases("LocalStore", () => {
  const folder = mkdtempSync(join(tmpdir(), "local-store-"));
  const root = join(folder, "blocks");
  const close = () => rmSync(folder, { recursive: true });
  return { store: new LocalStore(root), other: new LocalStore(root), close };
});

storeCases("MemoryStore", () => {
  const store = new MemoryStore();
  return { store, other: store, close: () => {} };
});

storeCases("CachedStore", () => {
  const folder = mkdtempSync(join(tmpdir(), "cached-store-"));
  const store = new MemoryStore();
  const cache = new ChunkCache({ folder, bytesMax: 1 << 20, chunkBytes: 4096 });
  const close = () => {
    cache.close();
    rmSync(folder, { recursive: true });
  };
  return { store: new CachedStore(store, cache), other: store, close };
});

storeCases("RemoteStore", () => {
  const service = new MemoryService(5);
  const options = { prefix: "pre/fix/", listsMax: 3, partBytes: 5 << 20, partsMax: 2 };
  const open = () => new RemoteStore(service, options);
  return { store: open(), other: open(), close: () => {} };
});
