// A server for tests that speaks Google Cloud Storage's API: fake-gcs-server on a folder of its own. .ci/run builds it; where it is
// missing, tests say so and are skipped.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, LocalServer, toolPath } from "./local_server.ts";

const version = "v1.56.1"; // as in .ci/run

/** Where `.ci/run` puts it, or what RUBATO_FAKE_GCS_SERVER says. */
const fakeGcsServer =
  process.env.RUBATO_FAKE_GCS_SERVER ?? toolPath(`fake-gcs-server-${version}`, "fake-gcs-server");

/** For the title of tests that are skipped; null if the server is there. */
export const fakeGcsServerMissing = existsSync(fakeGcsServer)
  ? null
  : `no ${fakeGcsServer}: .ci/run builds it, where Go and its module proxy are at hand`;

export class GcsServer {
  readonly bucket = "traces";

  private constructor(
    readonly folder: string,
    /** URL of the API. */
    readonly endpoint: string,
    private readonly process: LocalServer,
  ) {}

  /** @param tls PEM files, to be asked over https */
  static async start(tls?: { cert: string; key: string }): Promise<GcsServer> {
    const scheme = tls ? "https" : "http";
    const folder = mkdtempSync(join(tmpdir(), "gcs-server-"));
    const port = await freePort();
    mkdirSync(join(folder, "traces"));
    const flags = ["-scheme", scheme, "-host", "127.0.0.1", "-port", `${port}`];
    if (tls) flags.push("-cert-location", tls.cert, "-private-key-location", tls.key);
    const backend = ["-backend", "filesystem", "-filesystem-root", folder];
    const process = await LocalServer.start(port, [fakeGcsServer, ...flags, ...backend]);
    return new GcsServer(folder, `${scheme}://127.0.0.1:${port}/storage/v1/`, process);
  }

  /** What storage.trace says to use it. */
  settings() {
    return {
      backend: "gcs",
      gcs: { bucket_name: this.bucket, endpoint: this.endpoint, insecure: true },
    };
  }

  async remove(): Promise<void> {
    await this.process.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
