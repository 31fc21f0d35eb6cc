// The golden blocks of a real Tempo with the requests that they were made from and the answers that it gave, read in place from
// ../shared/fixtures.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Json } from "../conformance/placeholders.ts";
import { type Rubato, root } from "./rubato.ts";

export const goldenFolder = join(root, "../shared/fixtures/tempo-blocks");

const compactedSeconds = 1_768_500_000;

export interface Recorded {
  name: string;
  path: string;
  params: Record<string, string>;
  status: number;
  body: { [key: string]: Json };
}

/** Tenants with requests. */
export const inputTenants = ["rich", "edge", "dedicated", "compact", "load"];

/** Null where nothing was recorded. */
export function recorded(version: string, tenant: string): Recorded[] | null {
  const path = join(goldenFolder, "expected", version, `${tenant}.json`);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Recorded[]) : null;
}

export function tenantsOf(folder: string): string[] {
  return readdirSync(join(goldenFolder, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** A folder for a server that serves a copy of the blocks. Those that were compacted were so long ago. */
export function homeWithBlocks(folder: string): string {
  const home = mkdtempSync(join(tmpdir(), "rubato-golden-"));
  const blocks = join(home, "data", "blocks");
  cpSync(join(goldenFolder, folder), blocks, { recursive: true });
  for (const name of readdirSync(blocks, { recursive: true, encoding: "utf8" })) {
    if (name.endsWith("meta.compacted.json"))
      utimesSync(join(blocks, name), compactedSeconds, compactedSeconds);
  }
  return home;
}

/** A folder for a server that serves the blocks as `rubato blocks convert` writes them. */
export function homeWithConverted(folder: string, version: string, tenants: readonly string[]): string {
  const home = mkdtempSync(join(tmpdir(), "rubato-converted-"));
  for (const tenant of tenants) {
    const from = [`-path=${join(goldenFolder, folder)}`, `-tenant=${tenant}`];
    const to = [`-version=${version}`, `-out=${join(home, "data", "blocks")}`];
    const command = ["src/main.ts", "blocks", "convert", ...from, ...to];
    const { status, stderr } = spawnSync(process.execPath, command, { cwd: root, encoding: "utf8" });
    if (status !== 0) throw new Error(`converting ${folder} ${tenant}: ${stderr}`);
  }
  return home;
}

/** OTLP requests in protobuf, in the order that they were sent. */
export function inputsOf(tenant: string): Buffer[] {
  const folder = join(goldenFolder, "inputs", tenant);
  const names = readdirSync(folder).filter((name) => /\.pb(\.gz)?$/.test(name));
  return names.sort().map((name) => {
    const bytes = readFileSync(join(folder, name));
    return name.endsWith(".gz") ? gunzipSync(bytes) : bytes;
  });
}

export async function pushInputs(server: Rubato, tenants: readonly string[]): Promise<void> {
  for (const tenant of tenants) {
    for (const body of inputsOf(tenant)) {
      const answer = await server.otlp({
        method: "POST",
        path: "/v1/traces",
        headers: { "Content-Type": "application/x-protobuf", "X-Scope-OrgID": tenant },
        body,
      });
      if (answer.status !== 200)
        throw new Error(`inputs of ${tenant}: status ${answer.status} ${answer.text()}`);
    }
  }
}

export async function askRecorded(server: Rubato, tenant: string, { path, params }: Recorded) {
  const query = new URLSearchParams(params).toString();
  return server.request({
    path: query === "" ? path : `${path}?${query}`,
    headers: { Accept: "application/json", "X-Scope-OrgID": tenant },
  });
}
