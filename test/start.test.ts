// Starting the program: its command line, its configuration files, and what it says.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { traceIdHex } from "../bench/load/ids.ts";
import { loadDefaults, runLoad } from "../bench/load/run.ts";
import { Rubato, root } from "./support/rubato.ts";
import { fetchSpanIds } from "./support/trace_reader.ts";

setDefaultTimeout(60_000); // servers start and stop in hooks and tests

const configs = join(root, "../shared/fixtures/configs");
const runMsMax = 10_000;

let server: Rubato | undefined;
let folder: string | undefined;
afterEach(async () => {
  await server?.remove();
  server = undefined;
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
});

function run(...flags: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["src/main.ts", ...flags], {
    cwd: root,
    encoding: "utf8",
    timeout: runMsMax,
  });
  return { status, output: stdout + stderr };
}

function config(text: string): string {
  folder = mkdtempSync(join(tmpdir(), "rubato-start-"));
  const path = join(folder, "tempo.yaml");
  writeFileSync(path, text);
  return path;
}

test("-version prints a version and ends", () => {
  const { status, output } = run("-version");
  expect(output).toMatch(/rubato.*\d+\.\d+\.\d+/i);
  expect(status).toBe(0);
});

test("-help lists flags and keys and ends", () => {
  const { status, output } = run("-help");
  expect(output).toContain("-config.file");
  expect(output).toContain("-server.http-listen-port");
  expect(status).toBe(0);
});

test("-config.verify takes a good file and refuses a misspelt key by file, line and nearest key", () => {
  const good = config("server:\n  http_listen_port: 3300\n");
  expect(run("-config.verify", `-config.file=${good}`).status).toBe(0);
  writeFileSync(good, "server:\n  http_listen_prt: 3300\n");
  const bad = run("-config.verify", `-config.file=${good}`);
  expect(bad.status).not.toBe(0);
  expect(bad.output).toContain("tempo.yaml:2");
  expect(bad.output).toContain("http_listen_port");
});

test("an unknown flag ends with an error", () => {
  const { status, output } = run("-config.fil=x");
  expect(status).not.toBe(0);
  expect(output).toContain("config.file");
});

test("a port that is taken ends with an error that names it", async () => {
  server = await Rubato.start();
  const port = server.ports.otlpGrpc;
  const path = config(
    JSON.stringify({
      server: { http_listen_port: 0, grpc_listen_port: 0 },
      distributor: { receivers: { otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${port}` } } } } },
      storage: {
        trace: {
          local: { path: join(server.folder, "other/blocks") },
          wal: { path: join(server.folder, "other/wal") },
        },
      },
    }),
  );
  const { status, output } = run(`-config.file=${path}`);
  expect(status).not.toBe(0);
  expect(output).toContain(String(port));
});

test("the start-up lines say where everything is", async () => {
  server = await Rubato.start();
  for (const port of [server.ports.http, server.ports.otlpGrpc, server.ports.otlpHttp]) {
    expect(server.output).toContain(String(port));
  }
});

for (const name of ["compose.yaml", "kubernetes.yaml"]) {
  test.skipIf(!existsSync(join(configs, name)))(`${name} starts as it is and stores a span`, async () => {
    server = await Rubato.start({ configFile: join(configs, name) });
    const sent = await runLoad({
      ...loadDefaults,
      port: server.ports.otlpGrpc,
      spans: 1000,
      seconds: 0,
      spansPerRequest: 100,
    });
    expect(sent.acknowledgedSpans).toBe(1000);
    expect(await fetchSpanIds(server, traceIdHex(loadDefaults.seed, 5))).toHaveLength(10);
    expect(await server.stop()).toBe(0);
  });
}

test("two keys that name one port are both served there", async () => {
  const port = (
    await Rubato.start().then(async (first) => {
      await first.remove();
      return first.ports;
    })
  ).otlpGrpc;
  server = await Rubato.start({
    settings: {
      server: { grpc_listen_port: port },
      distributor: { receivers: { otlp: { protocols: { grpc: { endpoint: `0.0.0.0:${port}` } } } } },
    },
  });
  const sent = await runLoad({ ...loadDefaults, port, spans: 100, seconds: 0, spansPerRequest: 100 });
  expect(sent.acknowledgedSpans).toBe(100);
});

test("/shutdown flushes, takes no more spans and ends with 0", async () => {
  server = await Rubato.start();
  const sent = await runLoad({
    ...loadDefaults,
    port: server.ports.otlpGrpc,
    spans: 1000,
    seconds: 0,
    spansPerRequest: 100,
  });
  expect(sent.acknowledgedSpans).toBe(1000);
  await server.request({ method: "POST", path: "/shutdown" });
  expect(await server.ended()).toBe(0);
  await server.restart();
  const answer = await server.request(
    `/querier/api/v2/traces/${traceIdHex(loadDefaults.seed, 5)}?mode=blocks`,
  );
  expect(answer.status).toBe(200);
  expect(answer.text()).toContain('"spanId"');
});
