import { expect, test } from "bun:test";
import { defaultConfig } from "./defaults.ts";
import { memoryLimit, resolveMemoryBudget } from "./memory.ts";

const mib = 1024 * 1024;

function files(content: Record<string, string>) {
  return (path: string): string | null => content[path] ?? null;
}

test("memoryLimit() takes the machine's memory where no control group limits it", () => {
  expect(memoryLimit(files({}), 8000 * mib)).toBe(8000 * mib);
  const v2 = files({ "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "max\n" });
  expect(memoryLimit(v2, 8000 * mib)).toBe(8000 * mib);
});

test("memoryLimit() reads version 2, with the parents' limits", () => {
  const nested = files({
    "/proc/self/cgroup": "0::/kubepods/pod1/main\n",
    "/sys/fs/cgroup/kubepods/pod1/main/memory.max": "max\n",
    "/sys/fs/cgroup/kubepods/pod1/memory.max": `${256 * mib}\n`,
    "/sys/fs/cgroup/kubepods/memory.max": `${4000 * mib}\n`,
  });
  expect(memoryLimit(nested, 8000 * mib)).toBe(256 * mib);
  const container = files({ "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": `${512 * mib}\n` });
  expect(memoryLimit(container, 8000 * mib)).toBe(512 * mib);
});

test("memoryLimit() reads version 1, whose huge number is no limit", () => {
  const group = "12:cpu,cpuacct:/docker/a\n7:memory:/docker/a\n0::/docker/a\n";
  const limited = files({
    "/proc/self/cgroup": group,
    "/sys/fs/cgroup/memory/memory.limit_in_bytes": "268435456\n", // as a container sees itself
  });
  expect(memoryLimit(limited, 8000 * mib)).toBe(256 * mib);
  const unlimited = files({
    "/proc/self/cgroup": group,
    "/sys/fs/cgroup/memory/docker/a/memory.limit_in_bytes": "9223372036854771712\n",
  });
  expect(memoryLimit(unlimited, 8000 * mib)).toBe(8000 * mib);
});

test("resolveMemoryBudget() is a quarter of the limit, at most 512 MiB, unless it is configured", () => {
  const config = defaultConfig();
  expect(resolveMemoryBudget(config, files({}), 1000 * mib)).toBe(250 * mib);
  expect(resolveMemoryBudget(config, files({}), 64_000 * mib)).toBe(512 * mib);
  config.memory.budget_bytes = 900 * mib;
  expect(resolveMemoryBudget(config, files({}), 1000 * mib)).toBe(900 * mib);
});
