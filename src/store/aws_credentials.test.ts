import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AwsCredentialsSource, type AwsSurroundings } from "./aws_credentials.ts";

interface Asked {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: string;
}

/** When what is under way without waiting for anything from outside has ended. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("AwsCredentialsSource", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "aws-credentials-"));
    writeFileSync(
      join(folder, "credentials"),
      "# a comment\n[default]\naws_access_key_id = FILE\naws_secret_access_key=secret=with=signs\n\n" +
        "[ other ]\r\naws_access_key_id=OTHER\r\naws_secret_access_key=s\r\naws_session_token=t\r\n",
    );
    writeFileSync(join(folder, "token"), "a-token\n");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** A source that finds nothing but what is said; `answers` by the end of the URL. */
  function source(changes: Partial<AwsSurroundings>, answers: Record<string, string | (() => string)> = {}) {
    const asked: Asked[] = [];
    const found = new AwsCredentialsSource({
      configured: null,
      region: "eu-west-1",
      now: () => Date.parse("2026-01-01T00:00:00Z"),
      fetch: async (url, init) => {
        asked.push({
          url,
          method: init.method ?? "GET",
          headers: { ...(init.headers as object) },
          body: `${init.body}`,
        });
        const [, answer] = Object.entries(answers).find(([end]) => url.endsWith(end)) ?? [];
        if (answer === undefined) throw new Error("unreachable");
        const text = typeof answer === "string" ? answer : answer();
        return new Response(text, { status: text === "" ? 404 : 200 });
      },
      ...changes,
      env: { HOME: join(folder, "nobody"), ...changes.env },
    });
    return { found, asked };
  }

  const json = (id: string, expiration = "2026-01-01T06:00:00Z") =>
    JSON.stringify({ AccessKeyId: id, SecretAccessKey: "s", Token: "t", Expiration: expiration });

  test("takes those of the configuration before all others", async () => {
    const configured = { accessKeyId: "CONFIGURED", secretAccessKey: "s", sessionToken: "" };
    const { found } = source({ configured, env: { AWS_ACCESS_KEY_ID: "ENV", AWS_SECRET_ACCESS_KEY: "s" } });
    expect(await found.get()).toEqual(configured);
  });

  test("takes those of the environment, with their token", async () => {
    const env = { AWS_ACCESS_KEY_ID: "ENV", AWS_SECRET_ACCESS_KEY: "s", AWS_SESSION_TOKEN: "t" };
    expect(await source({ env }).found.get()).toEqual({
      accessKeyId: "ENV",
      secretAccessKey: "s",
      sessionToken: "t",
    });
  });

  test("reads the shared file, by profile", async () => {
    const file = { AWS_SHARED_CREDENTIALS_FILE: join(folder, "credentials") };
    expect(await source({ env: file }).found.get()).toEqual({
      accessKeyId: "FILE",
      secretAccessKey: "secret=with=signs",
      sessionToken: "",
    });
    const other = await source({ env: { ...file, AWS_PROFILE: "other" } }).found.get();
    expect(other).toEqual({ accessKeyId: "OTHER", secretAccessKey: "s", sessionToken: "t" });
  });

  test("asks STS with a web identity", async () => {
    const env = {
      AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, "token"),
      AWS_ROLE_ARN: "arn:aws:iam::1:role/tempo",
      AWS_SHARED_CREDENTIALS_FILE: join(folder, "credentials"),
    };
    const answer =
      "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>WEB</AccessKeyId>" +
      "<SecretAccessKey>s&amp;</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2026-01-01T01:00:00Z</Expiration>" +
      "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";
    const { found, asked } = source({ env }, { "sts.eu-west-1.amazonaws.com/": answer });
    expect(await found.get()).toEqual({
      accessKeyId: "WEB",
      secretAccessKey: "s&",
      sessionToken: "t",
      expiresMs: Date.parse("2026-01-01T01:00:00Z"),
    });
    expect(asked[0]!.method).toBe("POST");
    expect(Object.fromEntries(new URLSearchParams(asked[0]!.body))).toMatchObject({
      Action: "AssumeRoleWithWebIdentity",
      RoleArn: "arn:aws:iam::1:role/tempo",
      WebIdentityToken: "a-token",
    });
  });

  test("asks the agent of a container", async () => {
    const relative = source(
      { env: { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/v2/x" } },
      { "/v2/x": json("ECS") },
    );
    expect((await relative.found.get()).accessKeyId).toBe("ECS");
    expect(relative.asked[0]!.url).toBe("http://169.254.170.2/v2/x");
    const env = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://169.254.170.23/v1/credentials",
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: join(folder, "token"),
    };
    const pod = source({ env }, { "/v1/credentials": json("EKS") });
    expect((await pod.found.get()).accessKeyId).toBe("EKS");
    expect(pod.asked[0]!.headers).toEqual({ authorization: "a-token" });
    const stranger = source({ env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://example.com/x" } });
    await expect(stranger.found.get()).rejects.toThrow("example.com must be asked over https");
  });

  test("asks the instance, with a token", async () => {
    const roles = "/latest/meta-data/iam/security-credentials/";
    const answers = { "/latest/api/token": "session", [roles]: "my-role\n", "/my-role": json("EC2") };
    const { found, asked } = source({}, answers);
    expect((await found.get()).accessKeyId).toBe("EC2");
    expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "PUT http://169.254.169.254/latest/api/token",
      `GET http://169.254.169.254${roles}`,
      `GET http://169.254.169.254${roles}my-role`,
    ]);
    expect(asked[2]!.headers).toEqual({ "x-aws-ec2-metadata-token": "session" });
  });

  test("says where it looked if there are none", async () => {
    await expect(source({}).found.get()).rejects.toThrow(
      "storage.trace.s3.access_key and secret_key are not set",
    );
    const disabled = source({ env: { AWS_EC2_METADATA_DISABLED: "true" } });
    await expect(disabled.found.get()).rejects.toThrow("no credentials for S3");
    expect(disabled.asked).toEqual([]);
  });

  test("asks once for all who wait, and again before the end or when they are refused", async () => {
    let now = Date.parse("2026-01-01T00:00:00Z");
    let given = 0;
    const env = { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/x" };
    const { found } = source(
      { env, now: () => now },
      { "/x": () => json(`KEY${++given}`, "2026-01-01T01:00:00Z") },
    );
    const ids = await Promise.all([found.get(), found.get(), found.get()]);
    expect(ids.map(({ accessKeyId }) => accessKeyId)).toEqual(["KEY1", "KEY1", "KEY1"]);
    now = Date.parse("2026-01-01T00:55:00Z");
    expect((await found.get()).accessKeyId).toBe("KEY1");
    now = Date.parse("2026-01-01T00:56:30Z");
    // Nobody waits for the new ones while the old ones are good.
    const old = await found.get();
    expect(old.accessKeyId).toBe("KEY1");
    await settled();
    now = 0;
    const current = await found.get();
    expect(current.accessKeyId).toBe("KEY2");
    found.forget(old);
    expect(await found.get()).toBe(current);
    found.forget(current);
    expect((await found.get()).accessKeyId).toBe("KEY3");
  });

  test("goes on with those that are still good where new ones can't be had yet", async () => {
    let now = Date.parse("2026-01-01T00:00:00Z");
    let isDown = false;
    const env = { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/x" };
    const { found, asked } = source(
      { env, now: () => now },
      {
        "/x": () => {
          if (isDown) throw new Error("reset");
          return json("KEY", "2026-01-01T01:00:00Z");
        },
      },
    );
    await found.get();
    now = Date.parse("2026-01-01T00:57:00Z");
    for (isDown of [true, false]) {
      const before = asked.length;
      for (let i = 0; i < 20; i++) expect((await found.get()).accessKeyId).toBe("KEY");
      expect(asked.length - before).toBe(1);
      now += 10_000;
    }
    isDown = true;
    now = Date.parse("2026-01-01T01:00:00Z");
    await expect(found.get()).rejects.toMatchObject({ mayRetry: true });
  });
});
