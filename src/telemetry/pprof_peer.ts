// For tests: what Go's own pprof makes of a profile. Its first call builds the tool, which takes up to half a minute.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** False where Go is not installed. */
export const hasGoPprof = spawnSync("go", ["tool", "pprof", "-help"]).status === 0;

/** Runs `go tool pprof` on a profile and returns what it prints. */
export function goPprof(profile: Uint8Array, ...flags: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "pprof-"));
  try {
    const file = join(folder, "profile.pb.gz");
    writeFileSync(file, profile);
    const { stdout, stderr, status } = spawnSync("go", ["tool", "pprof", ...flags, file], {
      encoding: "utf8",
      env: { ...process.env, PPROF_TMPDIR: folder, TZ: "UTC" },
    });
    if (status !== 0) throw new Error(`go tool pprof: ${stderr}`);
    return stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
