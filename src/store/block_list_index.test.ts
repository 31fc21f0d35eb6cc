import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as zlib from "node:zlib";
import type { BlockMeta } from "../block/meta.ts";
import { deleteTenantIndex, readTenantIndex, writeTenantIndex } from "./block_list_index.ts";
import * as protobuf from "./block_list_index_protobuf.ts";
import { LocalStore } from "./local_store.ts";
import { MemoryStore } from "./memory_store_fixture.ts";

const fixtures = join(import.meta.dir, "../../../shared/fixtures/tempo-blocks");
const missing = !existsSync(fixtures);
if (missing) console.warn("skipped: the golden blocks are not here (../shared/fixtures/tempo-blocks)");

const full: BlockMeta = {
  format: "vParquet4",
  blockID: "b27b0e53-66a0-4505-afd6-434ae3cd4a10",
  tenantID: "acme",
  startTime: "2026-01-02T11:11:09Z",
  endTime: "2026-01-02T11:11:35.25Z",
  totalObjects: 134,
  size: 77187,
  compactionLevel: 2,
  indexPageSize: 0,
  totalRecords: 1,
  bloomShards: 1,
  footerSize: 17711,
  dedicatedColumns: [{ scope: "resource", name: "team", type: "string", options: [] }],
  replicationFactor: 1,
};
const bare: BlockMeta = {
  ...full,
  blockID: "00000000-0000-4000-8000-0000000000ff",
  startTime: "0001-01-01T00:00:00Z",
  endTime: "0001-01-01T00:00:00Z",
  dedicatedColumns: [],
  size: 0,
  replicationFactor: 0,
};
const createdMs = Date.UTC(2026, 0, 3, 12, 0, 0, 125);
const index = { createdMs, live: [full], compacted: [{ meta: bare, compactedMs: createdMs - 1500 }] };

/** Fields of a message by number: varints as numbers, the rest as bytes. Written for this test alone. */
function fieldsOf(bytes: Uint8Array): Map<number, (number | Uint8Array)[]> {
  const fields = new Map<number, (number | Uint8Array)[]>();
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    let value: number | Uint8Array = 0;
    if ((tag & 7) === 0) value = varint();
    else {
      expect(tag & 7).toBe(2);
      const length = varint();
      value = bytes.subarray(at, at + length);
      at += length;
    }
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
  }
  return fields;
}
const numbersOf = (bytes: unknown) => [...fieldsOf(bytes as Uint8Array)].map(([n, [value]]) => [n, value]);
const text = (bytes: unknown) => new TextDecoder().decode(bytes as Uint8Array);

describe("writeTenantIndex()", () => {
  test("writes JSON that gunzip and JSON.parse read, with the name that Go gives", async () => {
    const store = new MemoryStore();
    await writeTenantIndex(store, "acme", index);
    const bytes = await store.read("acme/index.json.gz");
    expect([...bytes.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 0xff]);
    expect(text(bytes.subarray(10, 21))).toBe("index.json\0");
    expect(JSON.parse(text(zlib.gunzipSync(bytes)))).toEqual({
      created_at: "2026-01-03T12:00:00.125Z",
      meta: [
        {
          format: "vParquet4",
          blockID: "b27b0e53-66a0-4505-afd6-434ae3cd4a10",
          tenantID: "acme",
          startTime: "2026-01-02T11:11:09Z",
          endTime: "2026-01-02T11:11:35.25Z",
          totalObjects: 134,
          size: 77187,
          compactionLevel: 2,
          indexPageSize: 0,
          totalRecords: 1,
          bloomShards: 1,
          footerSize: 17711,
          dedicatedColumns: [{ s: "resource", n: "team" }],
          replicationFactor: 1,
        },
      ],
      compacted: [
        {
          format: "vParquet4",
          blockID: "00000000-0000-4000-8000-0000000000ff",
          tenantID: "acme",
          startTime: "0001-01-01T00:00:00Z",
          endTime: "0001-01-01T00:00:00Z",
          totalObjects: 134,
          compactionLevel: 2,
          indexPageSize: 0,
          totalRecords: 1,
          bloomShards: 1,
          footerSize: 17711,
          compactedTime: "2026-01-03T11:59:58.625Z",
        },
      ],
    });
  });

  test("writes protobuf in one frame with a checksum, field by field", async () => {
    const store = new MemoryStore();
    await writeTenantIndex(store, "acme", index);
    const bytes = await store.read("acme/index.pb.zst");
    expect(bytes[4]! & 4).toBe(4); // the checksum's flag
    const whole = fieldsOf(zlib.zstdDecompressSync(bytes));
    expect([...whole.keys()]).toEqual([1, 2, 3]);
    expect(numbersOf(whole.get(1)![0])).toEqual([
      [1, createdMs / 1000 - 0.125],
      [2, 125_000_000],
    ]);
    const live = fieldsOf(whole.get(2)![0] as Uint8Array);
    expect([...live.keys()]).toEqual([1, 2, 5, 6, 7, 8, 9, 10, 13, 15, 16, 17, 18]);
    expect(text(live.get(1)![0])).toBe("vParquet4");
    expect(Buffer.from(live.get(2)![0] as Uint8Array).toString("hex")).toBe(
      "b27b0e5366a04505afd6434ae3cd4a10",
    );
    expect(text(live.get(5)![0])).toBe("acme");
    expect(numbersOf(live.get(6)![0])).toEqual([[1, Date.UTC(2026, 0, 2, 11, 11, 9) / 1000]]);
    expect(numbersOf(live.get(7)![0])).toEqual([
      [1, Date.UTC(2026, 0, 2, 11, 11, 35) / 1000],
      [2, 250_000_000],
    ]);
    expect([8, 9, 10, 13, 15, 16, 18].map((n) => live.get(n)![0])).toEqual([134, 77187, 2, 1, 1, 17711, 1]);
    expect(text(live.get(17)![0])).toBe('[{"s":"resource","n":"team"}]');
    const compacted = fieldsOf(whole.get(3)![0] as Uint8Array);
    expect(numbersOf(compacted.get(2)![0])).toEqual([
      [1, Date.UTC(2026, 0, 3, 11, 59, 58) / 1000],
      [2, 625_000_000],
    ]);
    const bareFields = fieldsOf(compacted.get(1)![0] as Uint8Array);
    expect([...bareFields.keys()]).toEqual([1, 2, 5, 6, 7, 8, 10, 13, 15, 16]);
    expect(numbersOf(bareFields.get(6)![0])).toEqual([[1, -62135596800]]);
  });

  test("is read again from either form, under the name of the folder", async () => {
    const store = new MemoryStore();
    expect(await readTenantIndex(store, "acme")).toBeNull();
    await writeTenantIndex(store, "acme", index);
    expect(await readTenantIndex(store, "acme")).toEqual(index);
    await store.delete("acme/index.pb.zst");
    expect(await readTenantIndex(store, "acme")).toEqual(index);
    await store.write("copy/index.json.gz", await store.read("acme/index.json.gz"));
    expect((await readTenantIndex(store, "copy"))!.live[0]!.tenantID).toBe("copy");
    await deleteTenantIndex(store, "acme");
    expect(await readTenantIndex(store, "acme")).toBeNull();
  });

  test("a damaged index is an error, whatever the other form says", async () => {
    const store = new MemoryStore();
    await writeTenantIndex(store, "acme", index);
    const bytes = (await store.read("acme/index.pb.zst")).slice();
    bytes[bytes.length - 1]! ^= 1;
    await store.write("acme/index.pb.zst", bytes);
    await expect(readTenantIndex(store, "acme")).rejects.toThrow("tenant index of acme");
    await store.delete("acme/index.pb.zst");
    await store.write("acme/index.json.gz", zlib.gzipSync('{"created_at":"never"}'));
    await expect(readTenantIndex(store, "acme")).rejects.toThrow("created_at is no time");
  });
});

test("readFields() refuses what is no message, and passes over fields that are new", () => {
  const { parseProtobufIndex } = protobuf;
  for (const damaged of [[0x0a], [0x0a, 5, 1], [0x08, ...Array(11).fill(0xff)], [0x0b]]) {
    expect(() => parseProtobufIndex(Uint8Array.from(damaged))).toThrow(TypeError);
  }
  // 31 fixed 64, 30 fixed 32, 29 a varint.
  const unknown = [0xf9, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0xf5, 1, 1, 2, 3, 4, 0xe8, 1, 7];
  expect(parseProtobufIndex(Uint8Array.from(unknown))).toEqual({ createdMs: 0, live: [], compacted: [] });
});

describe.skipIf(missing)("the indexes of a real Tempo (skipped where the fixtures are missing)", () => {
  for (const version of ["vParquet3", "vParquet4", "vParquet5"]) {
    const root = join(fixtures, version);
    const tenants = missing
      ? []
      : readdirSync(root).filter((name) => existsSync(join(root, name, "index.pb.zst")));
    for (const tenant of tenants) {
      test(`${version}/${tenant}: both forms say what its JSON says`, async () => {
        const json = readFileSync(join(root, tenant, "index.json.gz"));
        const said = JSON.parse(text(zlib.gunzipSync(json))) as Record<string, { blockID: string }[]>;
        const store = new MemoryStore();
        await store.write(`${tenant}/index.json.gz`, json);
        const fromJson = await readTenantIndex(store, tenant);
        const found = await readTenantIndex(new LocalStore(root), tenant);
        expect(found!.live).toEqual(fromJson!.live);
        expect(found!.live.map(({ blockID }) => blockID)).toEqual(said.meta!.map(({ blockID }) => blockID));
        expect(found!.compacted.map(({ meta }) => meta)).toEqual(fromJson!.compacted.map(({ meta }) => meta));
        expect(found!.compacted.length).toBe(said.compacted!.length);
        for (const [i, { compactedMs }] of found!.compacted.entries()) {
          expect(Math.abs(compactedMs - fromJson!.compacted[i]!.compactedMs)).toBeLessThan(1);
        }
      });
    }
  }
});
