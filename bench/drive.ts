// Runs the load generator in a process of its own and watches the server meanwhile.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { type Rubato, root } from "../test/support/rubato.ts";
import type { LoadResult } from "./load/run.ts";

export type PrintedResult = Omit<LoadResult, "acknowledged"> & { acknowledgedTraces: number };

/** @param options command-line options of the load generator without their dashes */
export async function drive(
  port: number,
  options: Record<string, string | number>,
  onTick?: () => void,
): Promise<PrintedResult> {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(
    process.execPath,
    [join(root, "bench/load_generator.ts"), "--port", String(port), ...args],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let output = "";
  child.stdout.on("data", (bytes: Buffer) => {
    output += bytes.toString("utf8");
  });
  const timer = setInterval(() => onTick?.(), 100);
  await new Promise((resolve) => child.on("close", resolve));
  clearInterval(timer);
  return JSON.parse(output) as PrintedResult;
}

/** Ends a server that a benchmark started even if the benchmark fails. */
export async function withServer<T>(server: Rubato, run: (server: Rubato) => Promise<T>): Promise<T> {
  try {
    return await run(server);
  } finally {
    await server.remove();
  }
}
