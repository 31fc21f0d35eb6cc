// Where data lies when the file does not say.
import path from "node:path";
import type { TraceStorageConfig } from "./config.ts";

const tempoHome = "/var/tempo";

/**
 * Fills in the paths that are empty. Blocks go to ./data/blocks. The log goes where Tempo has it, /var/tempo/wal, if the
 * blocks lie under /var/tempo too; otherwise beside the blocks' folder, and so on the volume that was meant for data.
 */
export function choosePaths(storage: TraceStorageConfig): void {
  storage.local.path ||= "./data/blocks";
  storage.wal.path ||= storage.local.path.startsWith(`${tempoHome}/`)
    ? `${tempoHome}/wal`
    : `${path.dirname(storage.local.path).replace(/\/$/, "")}/wal`;
}

/** Whether two folders are one, or one lies in the other. */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [one, other].map((folder) => `${path.resolve(folder)}/`.replace("//", "/"));
  return a!.startsWith(b!) || b!.startsWith(a!);
}
