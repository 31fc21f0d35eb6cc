// A real S3 server for tests: versitygw on a folder of its own. .ci/run builds it; where it is missing, tests say so and are skipped.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, LocalServer, toolPath } from "./local_server.ts";

const version = "v1.8.0"; // as in .ci/run

/** Where `.ci/run` puts it, or what RUBATO_VERSITYGW says. */
export const versitygw = process.env.RUBATO_VERSITYGW ?? toolPath(`versitygw-${version}`, "versitygw");

/** For the title of tests that are skipped; null if the server is there. */
export const versitygwMissing = existsSync(versitygw)
  ? null
  : `no ${versitygw}: .ci/run builds it, where Go and its module proxy are at hand`;

export interface S3ServerOptions {
  tls?: { cert: string; key: string }; // PEM files
  virtualDomain?: string;
  /** Where its objects are kept; by default in a temporary folder, which remove() removes. */
  folder?: string;
}

export class S3Server {
  readonly accessKey = "rubato-test";
  readonly secretKey = "not a secret";
  readonly bucket = "traces";
  readonly region = "eu-test-1";

  private constructor(
    readonly folder: string,
    readonly port: number,
    private readonly process: LocalServer,
    private readonly isKept: boolean,
  ) {}

  get endpoint(): string {
    return `127.0.0.1:${this.port}`;
  }

  static async start({ tls, virtualDomain, folder: kept }: S3ServerOptions = {}): Promise<S3Server> {
    const folder = kept ?? mkdtempSync(join(tmpdir(), "s3-server-"));
    const port = await freePort();
    mkdirSync(join(folder, "buckets/traces"), { recursive: true });
    const flags = ["--port", `127.0.0.1:${port}`, "--quiet", "--keep-alive", "--region", "eu-test-1"];
    if (tls) flags.push("--cert", tls.cert, "--key", tls.key);
    if (virtualDomain) flags.push("--virtual-domain", virtualDomain);
    const backend = ["posix", join(folder, "buckets")];
    const process = await LocalServer.start(port, [versitygw, ...flags, ...backend], {
      ROOT_ACCESS_KEY: "rubato-test",
      ROOT_SECRET_KEY: "not a secret",
    });
    return new S3Server(folder, port, process, kept !== undefined);
  }

  /** What storage.trace says to use it. */
  settings() {
    return {
      backend: "s3",
      s3: {
        bucket: this.bucket,
        endpoint: this.endpoint,
        region: this.region,
        access_key: this.accessKey,
        secret_key: this.secretKey,
        insecure: true,
      },
    };
  }

  async remove(): Promise<void> {
    await this.process.kill();
    if (!this.isKept) rmSync(this.folder, { recursive: true, force: true });
  }
}
