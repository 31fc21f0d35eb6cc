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

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export class AzureServer {
  readonly account = "rubatotest";
  readonly key = Buffer.from("not a secret").toString("base64");
  readonly container = "traces";

  private constructor(
    readonly folder: string,
    readonly port: number,
    private readonly child: ChildProcess,
  ) {}

  get endpoint(): string {
    return `127.0.0.1:${this.port}`;
  }

  static async start(): Promise<AzureServer> {
    const folder = mkdtempSync(join(tmpdir(), "azure-server-"));
    const port = await freePort();
    const flags = ["--blobHost", "127.0.0.1", "--blobPort", `${port}`, "--location", folder];
    const child = spawn("node", [azurite, ...flags, "--silent", "--disableTelemetry"], {
      stdio: "ignore",
      env: {
        PATH: process.env.PATH,
        AZURITE_ACCOUNTS: `rubatotest:${Buffer.from("not a secret").toString("base64")}`,
      },
    });
    running.add(child);
    const server = new AzureServer(folder, port, child);
    await answering(child, port, "azurite");
    await server.createContainer();
    return server;
  }

  /** What storage.trace says to use it. */
  settings() {
    return {
      backend: "azure",
      azure: {
        storage_account_name: this.account,
        storage_account_key: this.key,
        container_name: this.container,
        endpoint_suffix: this.endpoint,
      },
    };
  }

  requests(): AzureRequests {
    const url = `http://${this.endpoint}/${this.account}/${this.container}/`;
    return new AzureRequests(url, new AzureSharedKey(this.account, this.key), fetch);
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

  private async createContainer(): Promise<void> {
    const question = {
      method: "PUT",
      query: { restype: "container" },
      what: "create the container",
    } as const;
    await this.requests().ask(question, new AbortController().signal);
  }
}
