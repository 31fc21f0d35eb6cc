import { describe, expect, test } from "bun:test";
import { ConfigError } from "./error.ts";
import { loadConfig } from "./load.ts";

function problemsOf(gcs: string): string[] {
  try {
    loadConfig({ text: `storage: { trace: { backend: gcs, gcs: { ${gcs} } } }` });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ key, message }) => `${key.replace("storage.trace.gcs.", "")}: ${message}`);
  }
}

describe("checkGcs()", () => {
  test("takes what is enough to reach a bucket, and what Tempo's examples say", () => {
    expect(problemsOf("bucket_name: traces.example.com")).toEqual([]);
    const emulator = 'endpoint: "http://gcs:4443/storage/v1/", insecure: true';
    expect(problemsOf(`bucket_name: tempo, ${emulator}, chunk_buffer_size: 10485760`)).toEqual([]);
    const object = "object_cache_control: no-cache, object_metadata: { owner: Zoë }";
    expect(
      problemsOf(`bucket_name: t, prefix: /a/b, max_retries: 0, hedge_requests_at: 500ms, ${object}`),
    ).toEqual([]);
  });

  test("names the key that is missing or wrong", () => {
    const good = "bucket_name: b";
    const cases: [gcs: string, problem: string][] = [
      ["prefix: a", "bucket_name: must name the bucket"],
      [
        "bucket_name: a/b",
        'bucket_name: expected lowercase letters, digits, dots, dashes and underscores, found "a/b"',
      ],
      ["bucket_name: ..", "bucket_name: expected lowercase"],
      [`${good}, prefix: a/../b`, "prefix: must be without . and .. between slashes"],
      [`${good}, endpoint: "gcs:4443"`, "endpoint: expected the URL of the API"],
      [`${good}, endpoint: "https://user:secret@gcs"`, "endpoint: expected the URL of the API"],
      [
        `${good}, endpoint: "http://gcs:4443"`,
        "endpoint: must begin with https://, since a token goes along",
      ],
      [
        `${good}, chunk_buffer_size: 1024`,
        "chunk_buffer_size: must be from 256KiB to 1GiB, found 1024 bytes",
      ],
      [`${good}, chunk_buffer_size: 2GiB`, "chunk_buffer_size: must be from 256KiB"],
      [`${good}, list_blocks_concurrency: 0`, "list_blocks_concurrency: must be at least 1"],
    ];
    for (const [gcs, problem] of cases) {
      expect(problemsOf(gcs), gcs).toHaveLength(1);
      expect(problemsOf(gcs)[0]).toStartWith(problem);
      expect(problemsOf(gcs)[0]).not.toContain("secret");
    }
  });

  test("leaves alone what is not used", () => {
    const text = "storage: { trace: { backend: local, gcs: { chunk_buffer_size: 1 } } }";
    expect(loadConfig({ text }).config.storage.trace.backend).toBe("local");
  });
});
