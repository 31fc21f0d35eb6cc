import { expect, test } from "bun:test";
import { registerBuildInfo, rubatoVersion, runtime, versionText } from "./build_info.ts";
import { Registry } from "./metrics.ts";

test("build info names the API's version and the program's own", async () => {
  expect(versionText()).toStartWith(
    `tempo, version 3.0.3 (branch: , revision: rubato-${rubatoVersion})\n  build user: `,
  );
  expect(runtime).toMatch(/^(bun|deno|node) \d+\.\d+/);
  const registry = new Registry();
  registerBuildInfo(registry);
  const text = await registry.render();
  expect(text).toContain(`tempo_build_info{version="3.0.3",revision="rubato-${rubatoVersion}"} 1\n`);
  expect(text).toContain(`rubato_build_info{version="${rubatoVersion}",runtime="${runtime}",platform="`);
});
