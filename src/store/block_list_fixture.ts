// For tests: blocks, and a store that lets a test in before each thing that is asked of it.
import { type BlockMeta, printMeta } from "../block/meta.ts";
import type { Store } from "./store.ts";

/** A block's id of a number. */
export const idOf = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
export const numberOf = ({ blockID }: BlockMeta) => Number(blockID.slice(-12));
export const numbersOf = (metas: readonly BlockMeta[]) => metas.map(numberOf).sort((a, b) => a - b);

export function blockMeta(n: number, changes: Partial<BlockMeta> = {}): BlockMeta {
  return {
    format: "vParquet4",
    blockID: idOf(n),
    tenantID: "acme",
    startTime: changes.endTime ?? "2026-01-01T00:00:00Z",
    endTime: "2026-01-01T00:01:00Z",
    totalObjects: 1,
    size: 100,
    compactionLevel: 0,
    indexPageSize: 0,
    totalRecords: 1,
    bloomShards: 1,
    footerSize: 10,
    dedicatedColumns: [],
    replicationFactor: 1,
    ...changes,
  };
}

/** Writes a block as its writers do, meta last. */
export async function putBlock(store: Store, meta: BlockMeta, name = "meta.json"): Promise<void> {
  const folder = `${meta.tenantID}/${meta.blockID}`;
  for (const part of ["data.parquet", "bloom-0", "index"]) {
    await store.write(`${folder}/${part}`, new Uint8Array([1]));
  }
  await store.write(`${folder}/${name}`, new TextEncoder().encode(printMeta(meta)));
}

/** @param before what it throws, the call does */
export function watched(store: Store, before: (call: string, path: string) => void | Promise<void>): Store {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return async (...args: unknown[]) => {
        await before(String(name), String(args[0]));
        return value.apply(target, args);
      };
    },
  });
}
