import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LocalStore } from "../store/local_store.ts";
import { parseMeta } from "./meta.ts";
import { BlockReader, ReadCaches } from "./read.ts";

const root = join(import.meta.dir, "../../../shared/fixtures/tempo-blocks/vParquet4");
const missing = !existsSync(root);
if (missing) console.warn("skipped: the golden blocks are not here (../shared/fixtures/tempo-blocks)");

test.skipIf(missing)(
  "a lookup reads only the bits of a bloom filter that the cache has no room for",
  async () => {
    const [id] = readdirSync(join(root, "rich")).filter((name) =>
      existsSync(join(root, "rich", name, "meta.json")),
    );
    const meta = parseMeta(readFileSync(join(root, "rich", id!, "meta.json"), "utf8"));
    const caches = new ReadCaches({
      footerBytes: 1 << 20,
      fileBytes: 1 << 20,
      bloomBytes: 0,
      dictionaryBytes: 1 << 20,
      traceIdBytes: 1 << 20,
      pageBytes: 1 << 20,
    });
    const store = new LocalStore(root);

    const absent = await BlockReader.open(store, meta, caches);
    expect(await absent.findTrace(new Uint8Array(16).fill(9))).toBeNull();
    expect(absent.bytesRead).toBe(24 + 7); // header and seven bits

    const present = await BlockReader.open(store, meta, caches);
    expect(await present.findTrace(Buffer.from("22220000000000000000000000000001", "hex"))).not.toBeNull();
  },
);
