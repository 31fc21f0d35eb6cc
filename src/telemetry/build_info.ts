// What this program says it is: its own version, and the version of Tempo whose API it speaks.
import process from "node:process";
import manifest from "../../package.json" with { type: "json" };
import type { Registry } from "./metrics.ts";

export const rubatoVersion: string = manifest.version;

/**
 * The release of Tempo that the API, the metrics and the blocks follow. Clients read it to decide what they may use:
 * Grafana wants a plain semver and turns streaming on from 2.2.0 (search) and 2.7.0 (metrics).
 */
export const tempoVersion = "3.0.3";

/** Which program stands behind that API, in the place where Tempo has its commit. */
export const revision = `rubato-${rubatoVersion}`;

/** The JavaScript runtime and its version, such as `bun 1.4.5`. */
export const runtime: string =
  process.versions.bun !== undefined
    ? `bun ${process.versions.bun}`
    : process.versions.deno !== undefined
      ? `deno ${process.versions.deno}`
      : `node ${process.versions.node}`;

export const platform = `${process.platform}/${process.arch}`;

/** The answer of `/api/status/buildinfo`, with Tempo's members. */
export const buildInfo = {
  version: tempoVersion,
  revision,
  branch: "",
  buildUser: "",
  buildDate: "",
  goVersion: runtime,
};

/** The text of `/status/version` and of `-version`, in the form that Prometheus' programs share. */
export function versionText(): string {
  return [
    `tempo, version ${tempoVersion} (branch: ${buildInfo.branch}, revision: ${revision})`,
    `  build user:       ${buildInfo.buildUser}`,
    `  build date:       ${buildInfo.buildDate}`,
    `  rubato version:   ${rubatoVersion}`,
    `  runtime:          ${runtime}`,
    `  platform:         ${platform}`,
    "",
  ].join("\n");
}

export function registerBuildInfo(registry: Registry): void {
  registry
    .gauge("tempo_build_info", "The Tempo release whose API this program serves; always 1.", [
      "version",
      "revision",
    ])
    .set({ version: tempoVersion, revision }, 1);
  registry
    .gauge("rubato_build_info", "This program's version, runtime and platform; always 1.", [
      "version",
      "runtime",
      "platform",
    ])
    .set({ version: rubatoVersion, runtime, platform }, 1);
}
