// Tokens from Google's library, of a metadata service and a token exchange that stand on this machine.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askGcsToken } from "./gcs_token.ts";

const names = ["GCE_METADATA_HOST", "GOOGLE_APPLICATION_CREDENTIALS", "METADATA_SERVER_DETECTION", "HOME"];
const before = names.map((name) => process.env[name]);

describe("askGcsToken()", () => {
  let folder: string;
  let server: Server;
  let host: string;
  let status = 200;
  const asked: { path: string; body: string }[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "gcs-token-"));
    server = createServer((request, response) => {
      let body = "";
      request.on("data", (some) => {
        body += some;
      });
      request.on("end", () => {
        const path = request.url!.split("?")[0]!;
        asked.push({ path, body });
        const headers = { "metadata-flavor": "Google", "content-type": "application/json" };
        response.writeHead(path.endsWith("token") ? status : 200, headers);
        const token = { access_token: `of ${path}`, expires_in: 3600, token_type: "Bearer" };
        response.end(JSON.stringify(path.endsWith("token") && status === 200 ? token : {}));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    // Where gcloud keeps credentials of people.
    process.env.HOME = folder;
  });

  afterEach(() => {
    asked.length = 0;
    status = 200;
    for (const name of names) if (name !== "HOME") delete process.env[name];
  });

  afterAll(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
    for (const [i, name] of names.entries()) {
      if (before[i] === undefined) delete process.env[name];
      else process.env[name] = before[i];
    }
  });

  function keyFile(content: object | string): void {
    const path = join(folder, "credentials.json");
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
    process.env.GOOGLE_APPLICATION_CREDENTIALS = path;
  }

  test("takes the machine's own service account", async () => {
    process.env.GCE_METADATA_HOST = host;
    const { headers, expiresMs } = await askGcsToken();
    expect(headers).toEqual({
      authorization: "Bearer of /computeMetadata/v1/instance/service-accounts/default/token",
    });
    expect(Math.abs(expiresMs! - Date.now() - 3_600_000)).toBeLessThan(60_000);
  });

  test("exchanges the token of a federated identity", async () => {
    writeFileSync(join(folder, "subject"), "token-of-the-pod");
    keyFile({
      type: "external_account",
      audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      token_url: `http://${host}/sts/token`,
      credential_source: { file: join(folder, "subject") },
      quota_project_id: "payer",
    });
    const { headers } = await askGcsToken();
    expect(headers).toEqual({ authorization: "Bearer of /sts/token", "x-goog-user-project": "payer" });
    const sent = new URLSearchParams(asked.find(({ path }) => path === "/sts/token")!.body);
    expect(sent.get("subject_token")).toBe("token-of-the-pod");
    expect(sent.get("scope")).toBe("https://www.googleapis.com/auth/devstorage.read_write");
  });

  test("says what is wrong with credentials, and does not ask again for them", async () => {
    process.env.METADATA_SERVER_DETECTION = "none";
    const none = "store: no credentials for Google Cloud Storage: Could not load the default credentials";
    await expect(askGcsToken()).rejects.toThrow(none);
    await expect(askGcsToken()).rejects.not.toHaveProperty("mayRetry");
    process.env.GOOGLE_APPLICATION_CREDENTIALS = join(folder, "nowhere.json");
    await expect(askGcsToken()).rejects.toThrow("nowhere.json does not exist");
    keyFile('{ "type": "service_account", "private_key": MIIsecret }');
    await expect(askGcsToken()).rejects.toThrow(
      /^store: no credentials for Google Cloud Storage: the file with credentials, [^:]* is no JSON$/,
    );
    await expect(askGcsToken()).rejects.not.toHaveProperty("mayRetry");
  });

  test("may be asked again where the answer may be another one later", async () => {
    process.env.METADATA_SERVER_DETECTION = "assume-present";
    process.env.GCE_METADATA_HOST = host;
    status = 404;
    await expect(askGcsToken()).rejects.not.toHaveProperty("mayRetry");
    process.env.GCE_METADATA_HOST = "127.0.0.1:1";
    await expect(askGcsToken()).rejects.toMatchObject({ mayRetry: true, mayBeDone: false });
  });

  test("does not wait for ever", async () => {
    process.env.METADATA_SERVER_DETECTION = "assume-present";
    process.env.GCE_METADATA_HOST = host;
    await expect(askGcsToken(1)).rejects.toMatchObject({ mayRetry: true });
  });
});
