// Compiles the data plane: wasm/core.ts, wasm/split.ts and wasm/fuse.ts to build/*.wasm. Runs on `npm install` (prepare) and `npm run build:wasm`.
// Where the compiler is not installed (`npm install --omit=dev`), modules that are there already will do.
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
process.chdir(root);
mkdirSync("build", { recursive: true });

const entries = ["core", "split", "fuse"];
const compiler = await import("assemblyscript/asc").catch(() => null);
if (compiler === null) {
  const missing = entries.filter((entry) => !existsSync(`build/${entry}.wasm`));
  if (missing.length === 0) process.exit(0);
  process.stderr.write(
    `build: AssemblyScript is not installed, and ${missing.map((m) => `build/${m}.wasm`)} not built\n`,
  );
  process.exit(1);
}

for (const entry of entries) {
  const { error, stderr } = await compiler.default.main([
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
