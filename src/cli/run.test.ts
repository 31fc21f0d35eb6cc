// The commands as parts of the program: how they start, how they end, and what they load.
import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { fakeServer } from "./command_fixture.ts";
import { responseProtobuf, traceId } from "./trace_fixture.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const runtimes: Record<string, string[]> = {
  Bun: [process.execPath],
  Deno: [join(root, "node_modules/.bin/deno"), "run", "-A"],
};

async function rubato(
  runtime: string,
  ...argv: string[]
): Promise<{ status: unknown; out: string; err: string }> {
  const [command, ...args] = [...runtimes[runtime]!, "src/main.ts", ...argv];
  const child = spawn(command!, args, { cwd: root, env: { ...process.env, TZ: "UTC", RUBATO_URL: "" } });
  let out = "";
  let err = "";
  child.stdout.on("data", (bytes) => {
    out += bytes;
  });
  child.stderr.on("data", (bytes) => {
    err += bytes;
  });
  const [status] = await once(child, "close");
  return { status, out, err };
}

for (const runtime of Object.keys(runtimes)) {
  test(`rubato trace, query and metrics run on ${runtime} and end with their status`, async () => {
    const contentType = "application/protobuf";
    await using server = await fakeServer({
      [`/api/v2/traces/${traceId}`]: { contentType, body: responseProtobuf(false) },
      "/api/metrics/query_range": { body: '{"series":[{"samples":[{"timestampMs":"1768471200000"}]}]}' },
      "/api/search": { body: '{"traces":[{"traceID":"1","startTimeUnixNano":"1768471200000000000"}]}' },
    });
    const drawn = await rubato(runtime, "trace", "-url", server.url, traceId);
    expect(drawn).toMatchObject({ status: 0, err: "" });
    expect(drawn.out).toStartWith(
      `Trace ${traceId}  frontend GET /checkout\n2026-01-15 10:00:00.000, 400ms, 5 spans of 4 services, 1 failed\n`,
    );
    const found = await rubato(runtime, "query", "-url", server.url, "{}");
    expect(found).toMatchObject({ status: 0, err: "1 trace\n" });
    expect(found.out).toContain("\n2026-01-15 10:00:00.000      <1ms  00000000000000000000000000000001\n");

    const charted = await rubato(
      runtime,
      ...["metrics", "-url", server.url, "-start", "1768471200", "-end", "1768471260", "{} | rate()"],
    );
    expect(charted).toMatchObject({ status: 0, err: "1 series\n" });
    expect(charted.out).toStartWith("2026-01-15 10:00:00 to 10:01:00, step 1s\n");

    const refused = await fakeServer({});
    await refused[Symbol.asyncDispose]();
    expect(await rubato(runtime, "query", "-url", refused.url, "{}")).toEqual({
      status: 1,
      out: "",
      err: `rubato query: no answer from ${refused.url}: connection refused. Is the server running? -url says where it is.\n`,
    });
    expect((await rubato(runtime, "trace")).status).toBe(2);
  });
}

/** All files of the program that a file loads, at once or later, without those that `rubato blocks` alone loads. */
function loaded(entry: string): Set<string> {
  const files = new Set<string>();
  const queue = [join(root, entry)];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (files.has(path)) continue;
    files.add(path);
    const imports = /^(?:import|export)(?! type)[^;]*? from "(\.[^"]+)"|import\("(\.[^"]+)"\)/gm;
    for (const [, fixed, dynamic] of readFileSync(path, "utf8").matchAll(imports)) {
      if (dynamic !== "../inspect/command.ts") queue.push(join(dirname(path), fixed ?? dynamic!));
    }
  }
  return new Set([...files].map((path) => relative(root, path)));
}

test("the commands load nothing of the server, and the server nothing of the commands", () => {
  const ofCommands = [...loaded("src/cli/run.ts")];
  expect(ofCommands).toContain("src/cli/waterfall.ts");
  expect(ofCommands).toContain("src/traceql/parse.ts");
  const allowed = /^src\/(?:cli\/|traceql\/|config\/nearest\.ts$)/;
  expect(ofCommands.filter((path) => !allowed.test(path))).toEqual([]);
  const ofServer = [...loaded("src/start.ts")];
  expect(ofServer).toContain("src/serve.ts");
  expect(ofServer.filter((path) => path.startsWith("src/cli/"))).toEqual(["src/cli/commands.ts"]);
  expect([...ofServer].filter((path) => path.startsWith("src/inspect/"))).toEqual([]);
});
