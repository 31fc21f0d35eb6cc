// `npm run bench`: every benchmark, each in a process of its own, but for month.ts, which takes long. `--quick` makes them small.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "../test/support/rubato.ts";

const quick = process.argv.includes("--quick");
const benchmarks: [file: string, quickArguments: string[]][] = [
  ["stages.ts", ["--spans", "100000"]],
  ["ingest.ts", ["--seconds", "10"]],
  ["trace_lookup.ts", ["--spans", "300000", "--lookups", "500"]],
  ["search.ts", ["--spans", "300000", "--runs", "5", "--live-spans", "100000", "--seconds", "5"]],
  ["metrics.ts", ["--spans", "300000", "--runs", "5", "--live-spans", "100000"]],
  ["compaction.ts", ["--spans", "300000"]],
  ["many_blocks.ts", ["--blocks", "100", "--lookups", "10", "--runs", "2"]],
];
let failed = 0;
for (const [file, quickArguments] of benchmarks) {
  process.stdout.write(`\n## ${file}\n\n`);
  const { status } = spawnSync(
    process.execPath,
    [join(root, "bench", file), ...(quick ? quickArguments : [])],
    {
      stdio: "inherit",
    },
  );
  if (status !== 0) failed++;
}
process.exit(failed === 0 ? 0 : 1);
