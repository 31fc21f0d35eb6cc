import { describe, expect, test } from "bun:test";
import { ConfigError } from "./error.ts";
import { loadConfig } from "./load.ts";

const good = "bucket: b, endpoint: minio:9000";

function problemsOf(s3: string): string[] {
  try {
    loadConfig({ text: `storage: { trace: { backend: s3, s3: { ${s3} } } }` });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ key, message }) => `${key.replace("storage.trace.s3.", "")}: ${message}`);
  }
}

describe("checkS3()", () => {
  test("takes what is enough to reach a bucket", () => {
    expect(problemsOf(good)).toEqual([]);
    expect(problemsOf("bucket: b, region: eu-west-1")).toEqual([]);
    expect(problemsOf(`${good}, part_size: 5MiB, access_key: a, secret_key: b, session_token: c`)).toEqual(
      [],
    );
    expect(problemsOf(`bucket: b, endpoint: "[::1]:9000", sse: { type: SSE-KMS }`)).toEqual([]);
    const key = "k".repeat(32);
    expect(problemsOf(`${good}, sse: { type: SSE-C, encryption_key: ${key} }`)).toEqual([]);
  });

  test("names the key that is missing or wrong", () => {
    const cases: [s3: string, problem: string][] = [
      ["endpoint: minio:9000", "bucket: must name the bucket"],
      ["bucket: b", "endpoint: must be given"],
      ['bucket: b, endpoint: "http://minio:9000"', "endpoint: expected a host or host:port without http://"],
      ['bucket: b, endpoint: "minio/path"', "endpoint: expected a host"],
      ['bucket: b, endpoint: "minio:port"', "endpoint: expected a host"],
      [`${good}, access_key: a`, "secret_key: must be given with access_key"],
      [`${good}, secret_key: a`, "access_key: must be given with secret_key"],
      [`${good}, session_token: a`, "session_token: belongs to an access_key"],
      [`${good}, part_size: 1MiB`, "part_size: must be 0 or from 5MiB"],
      [`${good}, sse: { type: aes }`, 'sse.type: expected one of SSE-S3, SSE-KMS, SSE-C, found "aes"'],
      [`${good}, sse: { type: SSE-C, encryption_key: short }`, "sse.encryption_key: must be 32 bytes"],
      [
        `${good}, sse: { type: SSE-KMS, kms_encryption_context: "{" }`,
        "sse.kms_encryption_context: expected JSON",
      ],
      ["bucket: a/b, endpoint: e", 'bucket: expected the name of a bucket, found "a/b"'],
      ["bucket: .., endpoint: e", "bucket: expected the name of a bucket"],
      [`${good}, prefix: a/../b`, "prefix: must be without . and .. between slashes"],
      [`${good}, metadata: { owner: Zoë }`, "metadata: owner must be of printable ASCII characters"],
      [`${good}, storage_class: ü`, "storage_class: must be of printable ASCII"],
      [
        `${good}, access_key: a, secret_key: b, session_token: ü`,
        "session_token: must be of printable ASCII characters",
      ],
      [`${good}, sse: { type: SSE-KMS, kms_key_id: ü }`, "sse.kms_key_id: must be of printable ASCII"],
      [`${good}, metadata: { "a b": c }`, 'metadata: "a b" can\'t be the name of a header'],
      [`${good}, signature_v2: true`, "signature_v2: requests to S3 are signed with version 4 only"],
      [`${good}, list_blocks_concurrency: 0`, "list_blocks_concurrency: must be at least 1"],
    ];
    for (const [s3, problem] of cases) {
      expect(problemsOf(s3), s3).toHaveLength(1);
      expect(problemsOf(s3)[0]).toStartWith(problem);
    }
  });

  test("leaves alone what is not used", () => {
    const text = "storage: { trace: { backend: local, s3: { access_key: a, part_size: 1 } } }";
    expect(loadConfig({ text }).config.storage.trace.backend).toBe("local");
  });
});
