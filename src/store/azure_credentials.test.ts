import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AzureConfig } from "../config/config.ts";
import { defaultConfig } from "../config/defaults.ts";
import { azureAccount, azureCredentials } from "./azure_credentials.ts";

/** When what is under way without waiting for anything from outside has ended. */
const settled = () => new Promise((resolve) => setImmediate(resolve));
const key = Buffer.from("not a secret").toString("base64");
const startMs = Date.UTC(2026, 0);
const startSeconds = startMs / 1000;

interface Answer {
  status?: number;
  body: string;
}

/** Credentials whose services answer as told, one after the other, and what these were asked. */
function set(
  settings: Partial<AzureConfig>,
  env: Record<string, string> = {},
  answers: (Answer | Error)[] = [],
) {
  const asked: { url: URL; method: string; headers: Headers; body: string }[] = [];
  const clock = { nowMs: startMs };
  const config = { ...defaultConfig().storage.trace.azure, storage_account_name: "acc", ...settings };
  const credentials = azureCredentials(config, {
    env,
    now: () => clock.nowMs,
    fetch: async (url, { method = "GET", headers, body }) => {
      asked.push({ url: new URL(url), method, headers: new Headers(headers), body: `${body ?? ""}` });
      const answer = answers.shift();
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error("unreachable");
      return new Response(answer.body, { status: answer.status ?? 200 });
    },
  });
  const url = new URL("https://acc.blob.core.windows.net/c");
  const authorize = (headers: Headers) =>
    credentials.authorize({ method: "GET", url, headers, bodyBytes: 0 });
  const authorization = async () => {
    const headers = new Headers();
    await authorize(headers);
    return headers.get("authorization");
  };
  return { authorize, authorization, asked, clock };
}

const token = (name: string, expiresSeconds: number): Answer => ({
  body: JSON.stringify({
    access_token: name,
    // Of when it was made, an hour ago.
    expires_in: "7200",
    expires_on: `${expiresSeconds}`,
    resource: "https://storage.azure.com/",
    token_type: "Bearer",
  }),
});

describe("azureCredentials()", () => {
  test("takes the key of the configuration or of the environment", async () => {
    const configured = set({ storage_account_key: key }, { AZURE_STORAGE_KEY: "b3RoZXI=" });
    const fromEnvironment = set({}, { AZURE_STORAGE_KEY: key });
    expect(await configured.authorization()).toStartWith("SharedKey acc:");
    expect(await fromEnvironment.authorization()).toBe(await configured.authorization());
    expect(configured.asked).toEqual([]);
  });

  test("says what is missing, and never shows a key", () => {
    expect(() => set({})).toThrow(
      "neither storage.trace.azure.storage_account_key nor AZURE_STORAGE_KEY is set",
    );
    expect(() => set({ storage_account_key: "my secret" })).toThrow(
      /^store: the key of the storage account is no base64$/,
    );
    const { azure } = defaultConfig().storage.trace;
    expect(() => azureAccount(azure, {})).toThrow("neither storage.trace.azure.storage_account_name nor");
    expect(() => azureAccount(azure, { AZURE_STORAGE_ACCOUNT: "a.b/c" })).toThrow('found "a.b/c"');
    expect(azureAccount(azure, { AZURE_STORAGE_ACCOUNT: "acc" })).toBe("acc");
  });
});

describe("tokens of a managed identity", () => {
  test("come from the instance, for the identity that is named", async () => {
    const { authorization, asked } = set({ use_managed_identity: true, storage_account_key: key }, {}, [
      token("one", startSeconds + 3600),
    ]);
    expect(await authorization()).toBe("Bearer one");
    expect(asked[0]!.url.href).toBe(
      "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fstorage.azure.com%2F",
    );
    expect(asked[0]!.headers.get("metadata")).toBe("true");
    const named = set({ user_assigned_id: "id-1" }, {}, [token("two", startSeconds + 3600)]);
    expect(await named.authorization()).toBe("Bearer two");
    expect(named.asked[0]!.url.searchParams.get("client_id")).toBe("id-1");
  });

  test("come from the endpoint of the environment, with its secret", async () => {
    const env = { IDENTITY_ENDPOINT: "http://127.0.0.1:41741/msi/token/", IDENTITY_HEADER: "s" };
    const { authorization, asked } = set({ use_managed_identity: true }, env, [
      token("one", startSeconds + 3600),
    ]);
    expect(await authorization()).toBe("Bearer one");
    expect(asked[0]!.url.href).toStartWith(
      "http://127.0.0.1:41741/msi/token/?api-version=2019-08-01&resource=",
    );
    expect(asked[0]!.headers.get("x-identity-header")).toBe("s");
    const arc = set({ use_managed_identity: true }, { IDENTITY_ENDPOINT: "http://localhost:40342/token" });
    await expect(arc.authorization()).rejects.toThrow("identities of Azure Arc are not supported");
  });

  test("are asked for once, and again before they end or when the service refuses them", async () => {
    const { authorize, authorization, asked, clock } = set({ use_managed_identity: true }, {}, [
      token("one", startSeconds + 3600),
      token("two", startSeconds + 7200),
      token("three", startSeconds + 7200),
    ]);
    expect(await Promise.all([authorization(), authorization()])).toEqual(["Bearer one", "Bearer one"]);
    clock.nowMs += 55 * 60_000;
    expect(await authorization()).toBe("Bearer one");
    clock.nowMs += 90_000;
    const forgetOld = await authorize(new Headers());
    await settled();
    expect(await authorization()).toBe("Bearer two");
    const forget = await authorize(new Headers());
    forgetOld();
    expect(await authorization()).toBe("Bearer two");
    forget();
    expect(await authorization()).toBe("Bearer three");
    expect(asked).toHaveLength(3);
  });

  test("may come later, or never", async () => {
    const identity = { use_managed_identity: true };
    const problem = JSON.stringify({
      error: "invalid_request",
      error_description: "Identity not found\r\nTrace ID: 1",
    });
    const cases: [Answer | Error, mayRetry: boolean][] = [
      [{ status: 404, body: "" }, true],
      [{ status: 410, body: "" }, true],
      [{ status: 429, body: "" }, true],
      [{ status: 500, body: "<html>" }, true],
      [new Error("reset"), true],
      [{ status: 400, body: problem }, false],
      [{ status: 200, body: "<html>please log in</html>" }, false],
    ];
    for (const [answer, mayRetry] of cases) {
      const { authorization } = set(identity, {}, [answer]);
      await expect(authorization(), JSON.stringify(answer)).rejects.toMatchObject({
        mayRetry,
        mayBeDone: false,
      });
    }
    const { authorization } = set(identity, {}, [{ status: 400, body: problem }]);
    await expect(authorization()).rejects.toThrow(/token: status 400, invalid_request: Identity not found$/);
  });
});

describe("tokens for a federated token", () => {
  let folder: string;
  const env = () => ({
    AZURE_TENANT_ID: "tenant-1",
    AZURE_CLIENT_ID: "client-1",
    AZURE_FEDERATED_TOKEN_FILE: join(folder, "token"),
  });
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "azure-credentials-"));
    writeFileSync(join(folder, "token"), "a-token\n");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("come from Microsoft Entra ID, or the authority of another cloud", async () => {
    const fresh = (name: string) => ({ body: JSON.stringify({ access_token: name, expires_in: 3599 }) });
    const federated = { use_federated_token: true, user_assigned_id: "not-asked" };
    const { authorization, asked, clock } = set(federated, env(), [fresh("one"), fresh("two")]);
    expect(await authorization()).toBe("Bearer one");
    expect(asked[0]!.url.href).toBe("https://login.microsoftonline.com/tenant-1/oauth2/v2.0/token");
    expect(asked[0]!.method).toBe("POST");
    expect(Object.fromEntries(new URLSearchParams(asked[0]!.body))).toEqual({
      grant_type: "client_credentials",
      client_id: "client-1",
      scope: "https://storage.azure.com/.default",
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: "a-token",
    });
    writeFileSync(join(folder, "token"), "another-token");
    clock.nowMs += 3_600_000;
    expect(await authorization()).toBe("Bearer two");
    expect(new URLSearchParams(asked[1]!.body).get("client_assertion")).toBe("another-token");
    const authority = { AZURE_AUTHORITY_HOST: "https://login.microsoftonline.us/" };
    const elsewhere = set(federated, { ...env(), ...authority }, [fresh("us")]);
    await elsewhere.authorization();
    expect(elsewhere.asked[0]!.url.href).toBe("https://login.microsoftonline.us/tenant-1/oauth2/v2.0/token");
  });

  test("need what the environment says of them", async () => {
    const without = { ...env(), AZURE_CLIENT_ID: "" };
    await expect(set({ use_federated_token: true }, without).authorization()).rejects.toThrow(
      "storage.trace.azure.use_federated_token: AZURE_CLIENT_ID is not set",
    );
    const noFile = { ...env(), AZURE_FEDERATED_TOKEN_FILE: join(folder, "none") };
    await expect(set({ use_federated_token: true }, noFile).authorization()).rejects.toThrow(
      "AZURE_FEDERATED_TOKEN_FILE: ENOENT",
    );
  });
});
