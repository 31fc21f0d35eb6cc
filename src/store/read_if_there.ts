// Reads an object that may not be there.
import { type Store, StoreNotFound } from "./store.ts";

/** @throws StoreError if the store can't tell */
export async function readIfThere(store: Pick<Store, "read">, path: string): Promise<Uint8Array | null> {
  try {
    return await store.read(path);
  } catch (error) {
    if (error instanceof StoreNotFound) return null;
    throw error;
  }
}
