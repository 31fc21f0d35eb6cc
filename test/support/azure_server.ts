// Azurite, Microsoft's emulator of Azure Storage, for tests. .ci/run installs it; where it is missing, tests say so and are skipped.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { azureUrl } from "../../src/store/azure_address.ts";
import { AzureRequests } from "../../src/store/azure_request.ts";
import { AzureSharedKey } from "../../src/store/azure_shared_key.ts";
import { fetchWith, noTls } from "../../src/store/fetch.ts";
import type { CertificateFiles } from "./certificate.ts";
import { freePort, LocalServer, toolPath } from "./local_server.ts";

const version = "3.37.0"; // as in .ci/run

/** Where `.ci/run` puts it, or what RUBATO_AZURITE says. */
const azurite =
  process.env.RUBATO_AZURITE ?? toolPath(`azurite-${version}`, "node_modules/azurite/dist/src/blob/main.js");

/** For the title of tests that are skipped; null if the server is there. */
export const azuriteMissing = existsSync(azurite)
  ? null
  : `no ${azurite}: .ci/run installs it, where npm has it`;

const account = "rubatotest";
const key = Buffer.from("not a secret").toString("base64");

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
    private readonly endpointSuffix: string,
    private readonly process: LocalServer,
  ) {}

  /** @param tls to be asked over https under Azure's kind of names, with tokens too */
  static async start(tls?: CertificateFiles): Promise<AzureServer> {
    const folder = mkdtempSync(join(tmpdir(), "azure-server-"));
    const port = await freePort();
    const flags = ["--blobHost", "127.0.0.1", "--blobPort", `${port}`, "--location", folder];
    if (tls) flags.push("--cert", tls.cert, "--key", tls.key, "--oauth", "basic");
    const command = ["node", azurite, ...flags, "--silent", "--disableTelemetry"] as const;
    const process = await LocalServer.start(port, [...command], { AZURITE_ACCOUNTS: `${account}:${key}` });
    return new AzureServer(folder, tls ? `blob.localhost:${port}` : `127.0.0.1:${port}`, process);
  }

  /** A container of its own; it starts too slowly to be started for each test. */
  async create(container: string): Promise<AzureContainer> {
    const { endpointSuffix } = this;
    const url = azureUrl({ account, container, endpointSuffix });
    const fetch = fetchWith({ ...noTls, insecureSkipVerify: true }, "");
    const requests = () => new AzureRequests(url, new AzureSharedKey(account, key), fetch);
    const question = { method: "PUT", query: { restype: "container" }, what: `create ${container}` } as const;
    await requests().ask(question, new AbortController().signal);
    const azure = {
      storage_account_name: account,
      storage_account_key: key,
      container_name: container,
      endpoint_suffix: endpointSuffix,
    };
    return { settings: { backend: "azure", azure }, requests };
  }

  async remove(): Promise<void> {
    await this.process.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
