import { describe, expect, test } from "bun:test";
import { ConfigError } from "./error.ts";
import { loadConfig } from "./load.ts";

const good = "container_name: traces, storage_account_name: acc";

function problemsOf(azure: string): string[] {
  try {
    loadConfig({ text: `storage: { trace: { backend: azure, azure: { ${azure} } } }` });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ key, message }) => `${key.replace("storage.trace.azure.", "")}: ${message}`);
  }
}

describe("checkAzure()", () => {
  test("takes what is enough to reach a container", () => {
    // The account may stand in the environment.
    expect(problemsOf("container_name: traces")).toEqual([]);
    expect(problemsOf(`${good}, storage_account_key: a2V5, prefix: a/b`)).toEqual([]);
    expect(problemsOf(`${good}, endpoint_suffix: "127.0.0.1:10000", storage_account_key: a2V5`)).toEqual([]);
    expect(
      problemsOf(`${good}, endpoint_suffix: blob.core.chinacloudapi.cn, use_managed_identity: true`),
    ).toEqual([]);
    expect(problemsOf(`${good}, max_buffers: 1, buffer_size: 100MiB`)).toEqual([]);
  });

  test("names the key that is missing or wrong", () => {
    const cases: [azure: string, problem: string][] = [
      ["storage_account_name: acc", "container_name: must name the container"],
      [
        "container_name: a/b",
        'container_name: expected 3 to 63 lowercase letters, digits and single hyphens, found "a/b"',
      ],
      ["container_name: Traces", "container_name: expected 3 to 63 lowercase"],
      ["container_name: a--b", "container_name: expected 3 to 63 lowercase"],
      ["container_name: ab", "container_name: expected 3 to 63 lowercase"],
      [
        "container_name: traces, storage_account_name: acc.blob.core.windows.net",
        "storage_account_name: expected the name alone",
      ],
      [`${good}, prefix: a/../b`, "prefix: must be without . and .. between slashes"],
      [`${good}, prefix: a./b`, "prefix: names in Azure lose dots before a slash"],
      [`${good}, prefix: traces.`, "prefix: names in Azure lose dots before a slash"],
      [
        `${good}, endpoint_suffix: "https://blob.core.windows.net"`,
        "endpoint_suffix: expected a host without http://",
      ],
      [`${good}, endpoint_suffix: ""`, "endpoint_suffix: expected a host"],
      [
        `${good}, endpoint_suffix: "azurite:10000", use_managed_identity: true`,
        "endpoint_suffix: identities need https",
      ],
      [
        `${good}, endpoint_suffix: "azurite:10000", user_assigned_id: x`,
        "endpoint_suffix: identities need https",
      ],
      [`${good}, buffer_size: 1KiB`, "buffer_size: must be from 64KiB to 100MiB"],
      [`${good}, max_buffers: 0`, "max_buffers: must be from 1 to 64, found 0"],
    ];
    for (const [azure, problem] of cases) {
      expect(problemsOf(azure), azure).toHaveLength(1);
      expect(problemsOf(azure)[0]).toStartWith(problem);
    }
  });

  test("leaves alone what is not used", () => {
    const text = "storage: { trace: { backend: local, azure: { max_buffers: 0 } } }";
    expect(loadConfig({ text }).config.storage.trace.backend).toBe("local");
  });
});
