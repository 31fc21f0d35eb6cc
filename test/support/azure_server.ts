// Azurite, Microsoft's emulator of Azure Storage, for tests. .ci/run installs it; where it is missing, tests say so and are skipped.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { AzureRequests } from "../../src/store/azure_request.ts";
import { AzureSharedKey } from "../../src/store/azure_shared_key.ts";
import { answering, freePort } from "./local_port.ts";

const version = "3.37.0"; // as in .ci/run

/** Where `.ci/run` puts it, or what RUBATO_AZURITE says. */
const azurite =
  process.env.RUBATO_AZURITE ??
  join(
    process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"),
    "rubato-tools",
    `azurite-${version}`,
    "node_modules/azurite/dist/src/blob/main.js",
  );

/** For the title of tests that are skipped; null if the server is there. */
export const azuriteMissing = existsSync(azurite)
  ? null
  : `no ${azurite}: .ci/run installs it, where npm has it`;

const account = "rubatotest";
const key = Buffer.from("not a secret").toString("base64");

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export interface AzureContainer {
  /** What storage.trace says to use it. */
  settings: {
    backend: "azure";
    azure: Record<
      "storage_account_name" | "storage_account_key" | "container_name" | "endpoint_suffix",
      string
    >;
  };
  requests(): AzureRequests;
}

export class AzureServer {
  private constructor(
    readonly folder: string,
    readonly port: number,
    private readonly child: ChildProcess,
  ) {}

  static async start(): Promise<AzureServer> {
    const folder = mkdtempSync(join(tmpdir(), "azure-server-"));
    const port = await freePort();
    const flags = ["--blobHost", "127.0.0.1", "--blobPort", `${port}`, "--location", folder];
    const child = spawn("node", [azurite, ...flags, "--silent", "--disableTelemetry"], {
      stdio: "ignore",
      env: { PATH: process.env.PATH, AZURITE_ACCOUNTS: `${account}:${key}` },
    });
    running.add(child);
    await answering(child, port, "azurite");
    return new AzureServer(folder, port, child);
  }

  /** A container of its own; it starts too slowly to be started for each test. */
  async create(container: string): Promise<AzureContainer> {
    const url = `http://127.0.0.1:${this.port}/${account}/${container}/`;
    const requests = () => new AzureRequests(url, new AzureSharedKey(account, key), fetch);
    const question = { method: "PUT", query: { restype: "container" }, what: `create ${container}` } as const;
    await requests().ask(question, new AbortController().signal);
    const azure = {
      storage_account_name: account,
      storage_account_key: key,
      container_name: container,
      endpoint_suffix: `127.0.0.1:${this.port}`,
    };
    return { settings: { backend: "azure", azure }, requests };
  }

  async remove(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = once(this.child, "exit");
      this.child.kill("SIGKILL");
      await gone;
    }
    running.delete(this.child);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
