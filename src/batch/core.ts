// The compiled data plane: core.wasm, read and compiled once per thread, instantiated once per span batch.

import { readFileSync } from "node:fs";

const MODULE_URL = new URL("../../build/core.wasm", import.meta.url);

let compiled: WebAssembly.Module | undefined;

/**
 * A fresh instance of the data plane with a linear memory of its own.
 *
 * @throws Error if build/core.wasm is missing (`npm run build:wasm` makes it)
 */
export function instantiateCore(): WebAssembly.Instance["exports"] {
  compiled ??= new WebAssembly.Module(readModule(MODULE_URL));
  return new WebAssembly.Instance(compiled).exports;
}

/** Bytes of a compiled module under build/. */
export function readModule(url: URL): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(url));
  } catch (cause) {
    throw new Error(`wasm module ${url.pathname} is missing: run "npm run build:wasm"`, { cause });
  }
}
