// Compiles the data plane: wasm/core.ts and wasm/split.ts to build/*.wasm. Runs on `npm install` (prepare) and `npm run build:wasm`.
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
process.chdir(root);
mkdirSync("build", { recursive: true });

for (const entry of ["core", "split"]) {
  const { error, stderr } = await asc.main([
    `wasm/${entry}.ts`,
    "--outFile",
    `build/${entry}.wasm`,
    "-O3",
    "--noAssert",
    "--runtime",
    "stub",
    "--enable",
    "simd",
    "--enable",
    "bulk-memory",
    "--memoryBase",
    "1024",
    "--use",
    "abort=",
  ]);
  if (error) {
    process.stderr.write(`wasm/${entry}.ts: ${error.message}\n${stderr.toString()}\n`);
    process.exit(1);
  }
}
