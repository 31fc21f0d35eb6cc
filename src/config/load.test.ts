import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { defaultConfig } from "./defaults.ts";
import { ConfigError, printProblem } from "./error.ts";
import { isSection, lookUp } from "./known.ts";
import { listenPlan } from "./listen.ts";
import { loadConfig } from "./load.ts";
import { type LoadOptions, readConfig } from "./read.ts";
import { renamed } from "./renamed.ts";
import { verifyConfig } from "./verify.ts";

const shared = path.join(import.meta.dir, "../../../shared");

function warningsOf(text: string, options: LoadOptions = {}): string[] {
  return loadConfig({ file: "tempo.yaml", text, ...options }).warnings.map(printProblem);
}

function problemsOf(text: string, options: LoadOptions = {}): string[] {
  try {
    loadConfig({ file: "tempo.yaml", text, ...options });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(printProblem);
    throw error;
  }
  return [];
}

describe("the two real configurations", () => {
  const compose = path.join(shared, "fixtures/configs/compose.yaml");
  const kubernetes = path.join(shared, "fixtures/configs/kubernetes.yaml");

  test.skipIf(!existsSync(compose))(
    "compose.yaml starts as it is (skipped where the fixture is missing)",
    () => {
      const { config, warnings } = loadConfig({ file: compose });
      expect(warnings).toEqual([]);
      expect(config.stream_over_http_enabled).toBe(true);
      expect(config.storage.trace.local.path).toBe("/var/tempo/traces");
      expect(config.storage.trace.wal.path).toBe("/var/tempo/wal");
      expect(config.distributor.receivers.otlp.protocols).toEqual({
        grpc: { endpoint: "0.0.0.0:4317", max_recv_msg_size_mib: 4 },
        http: null,
      });
    },
  );

  test.skipIf(!existsSync(kubernetes))(
    "kubernetes.yaml starts as it is (skipped where the fixture is missing)",
    () => {
      const { config, warnings } = loadConfig({ file: kubernetes });
      expect(
        warnings.map(({ line, column, key, message }) => `${line}:${column} ${key}: ${message}`),
      ).toEqual([
        "17:3 ingester.max_block_duration: Tempo 2.x's name, read as live_store.max_block_duration",
        "21:5 compactor.compaction.block_retention: Tempo 2.x's name, read as backend_worker.compaction.block_retention",
      ]);
      expect(config.live_store.max_block_duration).toBe(300_000);
      expect(config.backend_scheduler.provider.compaction.compaction.block_retention).toBe(3_600_000);
      expect(config.backend_worker.compaction.block_retention).toBe(3_600_000);
      expect(config.storage.trace.wal.path).toBe("/var/tempo/wal");
      expect(listenPlan(config)).toEqual([
        { host: "", port: 3200, services: ["tempo-http"] },
        { host: "", port: 4317, services: ["tempo-grpc", "otlp-grpc"] },
        { host: "0.0.0.0", port: 4318, services: ["otlp-http"] },
      ]);
    },
  );
});

const specification = path.join(shared, "spec/ingest.md");
test.skipIf(!existsSync(specification))(
  "every key of Tempo's tables is known (skipped where the spec is missing)",
  () => {
    const rows = readFileSync(specification, "utf8").split("## 6. Complete")[1]!.split("\n");
    const blocks = new Map<string, string[]>();
    const keys: [path: string, type: string][] = [];
    let section = "";
    for (const row of rows) {
      section = /^### (.*)$/.exec(row)?.[1] ?? section;
      const [, key, type] = /^\| ([a-z0-9_.]+) \| ([^|]+?) \|/i.exec(row) ?? [];
      if (key === undefined || type === undefined || key === "Key") continue;
      const block = / block/.exec(section) === null ? undefined : section.split(" ")[0]!;
      if (block !== undefined) blocks.set(block, [...(blocks.get(block) ?? []), key]);
      else keys.push([section === "Top level" ? key : `${section}.${key}`, type]);
    }
    const all = keys.flatMap(([key, type]) => blocks.get(type)?.map((name) => `${key}.${name}`) ?? [key]);
    expect(all.length).toBeGreaterThan(600);
    expect(all.filter((key) => !isKnown(key))).toEqual([]);
  },
);

/** Whether a key, or a mapping around it that takes anything, is in the tables. */
function isKnown(key: string): boolean {
  if (renamed.some(({ from }) => from === key)) return true;
  for (let at = key; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf(".")))) {
    const entry = lookUp(at);
    if (entry !== undefined)
      return at === key || (!isSection(entry) && (entry.kind === "map" || entry.kind === "any"));
  }
  return false;
}

describe("loadConfig()", () => {
  test("gives the defaults for an empty file, and readConfig() for none", async () => {
    expect(loadConfig({ text: "" })).toEqual({ config: defaultConfig(), warnings: [] });
    expect(loadConfig({ text: "# nothing\nserver:\n" })).toEqual({ config: defaultConfig(), warnings: [] });
    expect(await readConfig({})).toEqual({ config: defaultConfig(), warnings: [] });
    expect(await readConfig({ text: "http_api_prefix: /x" })).toMatchObject({
      config: { http_api_prefix: "/x" },
    });
    const { storage, distributor, live_store } = defaultConfig();
    expect(storage.trace.local.path).toBe("./data/blocks");
    expect(storage.trace.wal).toMatchObject({ path: "./data/wal", sync: "interval", sync_interval: 100 });
    expect(distributor.receivers.otlp.protocols.grpc?.endpoint).toBe("localhost:4317");
    expect(distributor.receivers.otlp.protocols.http?.endpoint).toBe("localhost:4318");
    expect(live_store).toEqual({ shards: 0, max_block_duration: 300_000, max_block_bytes: 52_428_800 });
  });

  test("gives the prefixes of paths a slash in front and none behind", () => {
    for (const text of ["/tempo", "tempo", "/tempo/", "//tempo"]) {
      const { config } = loadConfig({
        text: `http_api_prefix: ${text}\nserver: { http_path_prefix: ${text}/x }`,
      });
      expect(config.http_api_prefix).toBe("/tempo");
      expect(config.server.http_path_prefix).toBe("/tempo/x");
    }
    expect(loadConfig({ text: "http_api_prefix: /" }).config.http_api_prefix).toBe("");
  });

  test("does not share lists between configurations", () => {
    defaultConfig().storage.trace.block.parquet_dedicated_columns.pop();
    expect(defaultConfig().storage.trace.block.parquet_dedicated_columns).toHaveLength(14);
  });

  test("names file, line, column and the nearest key of a misspelt one", () => {
    expect(problemsOf("server:\n  http_listen_prot: 3200\n")).toEqual([
      "tempo.yaml:2:3: server.http_listen_prot: unknown key, did you mean http_listen_port?",
    ]);
    expect(problemsOf("serve:\n  http_listen_port: 3200\n")).toEqual([
      "tempo.yaml:1:1: serve: unknown key, did you mean server?",
    ]);
    expect(problemsOf("grpc_listen_port: 3200\n")).toEqual([
      "tempo.yaml:1:1: grpc_listen_port: unknown key, did you mean server.grpc_listen_port?",
    ]);
    expect(problemsOf("ingester:\n  max_block_duraton: 5m\n")).toEqual([
      "tempo.yaml:2:3: ingester.max_block_duraton: unknown key, did you mean max_block_duration?",
    ]);
    expect(problemsOf("memberlist: { join_member: [a] }\n")).toEqual([
      "tempo.yaml:1:15: memberlist.join_member: unknown key, did you mean join_members?",
    ]);
    expect(problemsOf("cheese: 1")).toEqual(["tempo.yaml:1:1: cheese: unknown key"]);
  });

  test("says what was expected where a value has the wrong type", () => {
    const cases: [string, string][] = [
      [
        "server: { http_listen_port: many }",
        'server.http_listen_port: expected a whole number, found "many"',
      ],
      [
        "server: { http_listen_port: 70000 }",
        'server.http_listen_port: must be at most 65535, found "70000"',
      ],
      ["server: { http_listen_port: [1] }", "server.http_listen_port: expected a whole number, found a list"],
      ["server: 5", 'server: expected a mapping of keys, found "5"'],
      [
        "server: { log_level: loud }",
        'server.log_level: expected one of debug, info, warn, error, found "loud"',
      ],
      ["multitenancy_enabled: 2", 'multitenancy_enabled: expected true or false, found "2"'],
      ["shutdown_delay: 5", 'shutdown_delay: expected a duration such as 30s or 5m, found "5"'],
      ["shutdown_delay: -5s", 'shutdown_delay: must be at least 0s, found "-5s"'],
      [
        "live_store: { max_block_duration: 0s }",
        'live_store.max_block_duration: must be at least 1ms, found "0s"',
      ],
      [
        "memory: { budget_bytes: lots }",
        "memory.budget_bytes: expected a size in bytes such as 5000000 or 64MiB",
      ],
      ["http_api_prefix: [a]", "http_api_prefix: expected a text, found a list"],
      [
        "storage: { trace: { s3: { tags: a } } }",
        "storage.trace.s3.tags: expected a mapping of names to texts",
      ],
      ["memberlist: { bind_addr: 1.2.3.4 }", 'memberlist.bind_addr: expected a list, found "1.2.3.4"'],
      ["memberlist: { bind_port: x }", 'memberlist.bind_port: expected a whole number, found "x"'],
      ["target: querier", "target: this build serves everything in one process, the only target is all"],
      ["target: banana", 'target: expected "all", found "banana"'],
      [
        "storage: { trace: { block: { version: vParquet3 } } }",
        "storage.trace.block.version: blocks are written as vParquet4 or vParquet5",
      ],
      [
        "storage: { trace: { block: { version: v2 } } }",
        'storage.trace.block.version: expected one of vParquet4, vParquet5, found "v2"',
      ],
    ];
    for (const [text, message] of cases) {
      expect(problemsOf(text)).toHaveLength(1);
      expect(problemsOf(text)[0]!.replace(/^tempo\.yaml:1:\d+: /, "")).toStartWith(message);
    }
  });

  test("finds all problems at once, in the order of the file", () => {
    const text = `server:
  http_listen_port: x
  log_levle: info
storage:
  trace:
    backend: swift
`;
    expect(problemsOf(text)).toEqual([
      'tempo.yaml:2:3: server.http_listen_port: expected a whole number, found "x"',
      "tempo.yaml:3:3: server.log_levle: unknown key, did you mean log_level?",
      'tempo.yaml:6:5: storage.trace.backend: expected one of local, s3, gcs, azure, found "swift"',
    ]);
  });

  test("reports what is not YAML with its place", () => {
    expect(problemsOf("a: [1")[0]).toStartWith("tempo.yaml:1:6: Flow sequence");
    expect(problemsOf("server:\n  log_level: info\n  log_level: warn\n")[0]).toStartWith(
      "tempo.yaml:3:3: Map keys must be unique",
    );
    expect(problemsOf("- a\n")).toEqual(["tempo.yaml:1:1: expected a mapping of keys at the top"]);
    expect(problemsOf("a: *b")).toHaveLength(1);
    const unexpanded = `server: { http_listen_port: \${PORT}, log_level: info }\ntarget: all\n`;
    expect(problemsOf(unexpanded)).toHaveLength(1);
    expect(() => loadConfig({ file: "/nowhere/tempo.yaml" })).toThrow(
      "/nowhere/tempo.yaml: cannot be read: ENOENT",
    );
  });

  test("follows anchors and merges, and refuses ones without end", () => {
    const text = `
server: &s { log_level: debug }
storage: { trace: { wal: { sync: &a always } } }
`;
    expect(loadConfig({ text }).config.server.log_level).toBe("debug");
    const merged =
      "memberlist: &m { bind_port: 1 }\nlive_store:\n  <<: { shards: 3, max_block_bytes: 1MiB }\n  shards: 4\n";
    expect(loadConfig({ text: merged }).config.live_store).toMatchObject({
      shards: 4,
      max_block_bytes: 1_048_576,
    });
    expect(problemsOf("a: &a [*a]")[0]).toContain("nested deeper than");
    const laughs = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`);
    expect(problemsOf(`a0: &a0 x\n${laughs.join("\n")}`)[0]).toContain("more than 100000 values");
  });

  test("reads texts as they are written, and Go's forms of numbers and booleans", () => {
    const text = `
multitenancy_enabled: yes
storage: { trace: { s3: { bucket: 0123, prefix: "null", region: null } } }
live_store: { max_block_bytes: 10_000_000, shards: "3" }
`;
    const { config } = loadConfig({ text });
    expect(config.multitenancy_enabled).toBe(true);
    expect(config.storage.trace.s3).toMatchObject({ bucket: "0123", prefix: "null", region: "" });
    expect(config.live_store).toMatchObject({ max_block_bytes: 10_000_000, shards: 3 });
  });

  test("replaces environment variables only when asked", () => {
    const text = `storage: { trace: { local: { path: "\${DIR:-/a/blocks}" } } }`;
    expect(loadConfig({ text }).config.storage.trace.local.path).toBe(`\${DIR:-/a/blocks}`);
    expect(loadConfig({ text, expandEnv: true, env: {} }).config.storage.trace.local.path).toBe("/a/blocks");
    const env = { DIR: "/b/blocks" };
    expect(loadConfig({ text, expandEnv: true, env }).config.storage.trace.local.path).toBe("/b/blocks");
  });

  test("lets flags beat the file, and names the flag in what is wrong with it", () => {
    const flag = (key: string, value: string) => ({ name: key.replaceAll("_", "-"), key, value });
    const text = "server: { http_listen_port: 1 }";
    const flags = [flag("server.http_listen_port", "2"), flag("ingester.max_block_duration", "1m")];
    const { config, warnings } = loadConfig({ text, flags });
    expect(config.server.http_listen_port).toBe(2);
    expect(config.live_store.max_block_duration).toBe(60_000);
    expect(warnings.map(printProblem)).toEqual([
      "-ingester.max-block-duration: Tempo 2.x's name, read as live_store.max_block_duration",
    ]);
    expect(problemsOf(text, { flags: [flag("server.http_listen_port", "x")] })).toEqual([
      '-server.http-listen-port: expected a whole number, found "x"',
    ]);
  });

  test("keeps both receivers when a flag moves one of them", () => {
    const key = "distributor.receivers.otlp.protocols.grpc.endpoint";
    const { config } = loadConfig({ flags: [{ name: "x", key, value: "0.0.0.0:5317" }] });
    expect(config.distributor.receivers.otlp.protocols.grpc?.endpoint).toBe("0.0.0.0:5317");
    expect(config.distributor.receivers.otlp.protocols.http?.endpoint).toBe("localhost:4318");
  });

  test("puts the log beside the blocks, or where Tempo has it", () => {
    const walOf = (local: string) =>
      loadConfig({ text: `storage: { trace: { local: { path: ${local} } } }` }).config.storage.trace.wal.path;
    expect(walOf("/var/tempo/traces")).toBe("/var/tempo/wal");
    expect(walOf("/tmp/tempo/blocks")).toBe("/tmp/tempo/wal");
    expect(walOf("/tmp/tempo/blocks/")).toBe("/tmp/tempo/wal");
    expect(walOf("blocks")).toBe("./wal");
    expect(walOf("/blocks")).toBe("/wal");
  });
});

describe("receivers", () => {
  function protocolsOf(receivers: string) {
    return loadConfig({ text: `distributor:\n  receivers: ${receivers}` }).config.distributor.receivers.otlp
      .protocols;
  }

  test("listen where their key is, even without a value", () => {
    const http = {
      endpoint: "localhost:4318",
      traces_url_path: "/v1/traces",
      max_request_body_size: 20_971_520,
    };
    expect(protocolsOf("{ otlp: { protocols: { http: } } }")).toEqual({ grpc: null, http });
    expect(protocolsOf("{ otlp: { protocols: { grpc: {}, http: { max_request_body_size: 0 } } } }")).toEqual({
      grpc: { endpoint: "localhost:4317", max_recv_msg_size_mib: 4 },
      http,
    });
    expect(protocolsOf("{ otlp: }").grpc).not.toBeNull();
    expect(protocolsOf("{ otlp/edge: { protocols: { grpc: { endpoint: ':5317' } } } }")).toEqual({
      grpc: { endpoint: ":5317", max_recv_msg_size_mib: 4 },
      http: null,
    });
    expect(protocolsOf("{}").http).toEqual(http);
  });

  test("that Rubato does not serve are named", () => {
    const text = `distributor:
  receivers:
    otlp: { protocols: { grpc: { keepalive: { server_parameters: {} } } } }
    jaeger: { protocols: { thrift_http: } }
    zipkin:
    zipkin/b: {}
    otlp/second: {}
`;
    expect(warningsOf(text)).toEqual([
      "tempo.yaml:3:34: distributor.receivers.otlp.protocols.grpc.keepalive: ignored, Rubato's HTTP/2 server manages its connections itself",
      "tempo.yaml:4:5: distributor.receivers.jaeger: ignored, this receiver is not served by Rubato",
      "tempo.yaml:5:5: distributor.receivers.zipkin: ignored, this receiver is not served by Rubato",
      "tempo.yaml:6:5: distributor.receivers.zipkin/b: ignored, this receiver is not served by Rubato",
      "tempo.yaml:7:5: distributor.receivers.otlp/second: ignored, one OTLP receiver is served, the first",
    ]);
  });

  test("with settings that must not be lost silently are refused", () => {
    const at = "distributor.receivers.otlp.protocols";
    expect(
      problemsOf("distributor: { receivers: { otlp: { protocols: { grpc: { tls: { cert_file: a } } } } } }"),
    ).toEqual([
      `tempo.yaml:1:58: ${at}.grpc.tls: TLS is not served by this version: let a proxy in front of Rubato do it`,
    ]);
    expect(
      problemsOf("distributor: { receivers: { otlp: { protocols: { grpc: { endpoint: '4317' } } } } }"),
    ).toEqual([
      `tempo.yaml:1:58: ${at}.grpc.endpoint: expected an address such as 0.0.0.0:4317, found "4317"`,
    ]);
    expect(problemsOf("server: { http_tls_config: { cert_file: a } }")).toHaveLength(1);
    expect(problemsOf("server: { http_tls_config: { cert_file: '' }, http_listen_network: tcp }")).toEqual(
      [],
    );
  });

  test("say so when a shared port opens them to every interface", () => {
    const text =
      "server: { grpc_listen_port: 4317 }\ndistributor: { receivers: { otlp: { protocols: { grpc: } } } }";
    expect(warningsOf(text)).toEqual([
      "tempo.yaml:2:50: distributor.receivers.otlp.protocols.grpc.endpoint: served on every interface, since port 4317 is shared with a service that listens there",
    ]);
  });
});

describe("keys of Tempo's that mean nothing here", () => {
  test("are named once for each section, with the reason", () => {
    const text = `memberlist:
  join_members: [a, b]
  bind_port: 7946
distributor:
  ring:
    kvstore: { store: memberlist }
  max_attribute_bytes: 100
server:
  grpc_server_keepalive_time: 2h
  log_level: info
  grpc_server_keepalive_timeout: 20s
query_frontend:
  search:
    max_duration: 0s
    concurrent_jobs: 10
    target_bytes_per_job: 1
`;
    expect(warningsOf(text)).toEqual([
      "tempo.yaml:1:1: memberlist: ignored, Rubato is one process and needs no ring",
      "tempo.yaml:5:3: distributor.ring: ignored, Rubato is one process and needs no ring",
      "tempo.yaml:9:3: server.{grpc_server_keepalive_time, grpc_server_keepalive_timeout}: ignored, Rubato's HTTP/2 server manages its connections itself",
      "tempo.yaml:15:5: query_frontend.search.{concurrent_jobs, target_bytes_per_job}: no effect, queries are shared out among querier.block_workers as they come",
    ]);
  });
});

describe("Tempo 2.x", () => {
  test("keys move to their new names", () => {
    const text = `auth_enabled: true
ingester:
  max_block_duration: 10m
  max_block_bytes: 1000000
  trace_idle_period: 10s
  lifecycler: { ring: { replication_factor: 1 } }
compactor:
  compaction:
    block_retention: 48h
    compaction_window: 30m
`;
    const { config } = loadConfig({ text });
    expect(config.multitenancy_enabled).toBe(true);
    expect(config.live_store).toMatchObject({ max_block_duration: 600_000, max_block_bytes: 1_000_000 });
    expect(config.backend_worker.compaction).toMatchObject({
      block_retention: 172_800_000,
      compaction_window: 1_800_000,
    });
    expect(warningsOf(text)).toEqual([
      "tempo.yaml:1:1: auth_enabled: Tempo 2.x's name, read as multitenancy_enabled",
      "tempo.yaml:3:3: ingester.max_block_duration: Tempo 2.x's name, read as live_store.max_block_duration",
      "tempo.yaml:4:3: ingester.max_block_bytes: Tempo 2.x's name, read as live_store.max_block_bytes",
      "tempo.yaml:5:3: ingester.trace_idle_period: ignored, live spans lie in heads, queryable at once and bounded by live_store.max_block_* and memory.budget_bytes",
      "tempo.yaml:6:3: ingester.lifecycler: ignored, Rubato is one process and needs no ring",
      "tempo.yaml:9:5: compactor.compaction.block_retention: Tempo 2.x's name, read as backend_worker.compaction.block_retention",
      "tempo.yaml:10:5: compactor.compaction.compaction_window: Tempo 2.x's name, read as backend_scheduler.provider.compaction.compaction.compaction_window",
    ]);
  });

  test("keys that are wrong are reported under the name that they have in the file", () => {
    expect(problemsOf("compactor:\n  compaction:\n    block_retention: long\n")).toEqual([
      'tempo.yaml:3:5: compactor.compaction.block_retention: expected a duration such as 30s or 5m, found "long"',
    ]);
  });

  test("keys give way to their new names", () => {
    const text = "live_store: { max_block_duration: 1m }\ningester: { max_block_duration: 2m }";
    expect(loadConfig({ text }).config.live_store.max_block_duration).toBe(60_000);
    expect(warningsOf(text)).toEqual([
      "tempo.yaml:2:13: ingester.max_block_duration: ignored, live_store.max_block_duration is given too",
    ]);
  });

  test("flat overrides become the defaults of all tenants", () => {
    const text = `overrides:
  ingestion_rate_limit_bytes: 20000000
  max_bytes_per_trace: 1000
  metrics_generator_processors: [span-metrics]
  metrics_generator_processor_span_metrics_dimensions: [a]
`;
    const { defaults } = loadConfig({ text }).config.overrides;
    expect(defaults.ingestion.rate_limit_bytes).toBe(20_000_000);
    expect(defaults.global.max_bytes_per_trace).toBe(1000);
    expect(warningsOf(text)).toEqual([
      "tempo.yaml:2:3: overrides.ingestion_rate_limit_bytes: Tempo 2.x's flat form, read as overrides.defaults.ingestion.rate_limit_bytes",
      "tempo.yaml:3:3: overrides.max_bytes_per_trace: Tempo 2.x's flat form, read as overrides.defaults.global.max_bytes_per_trace",
      "tempo.yaml:4:3: overrides.{metrics_generator_processors, metrics_generator_processor_span_metrics_dimensions}: ignored, Rubato has no metrics generator",
    ]);
  });

  test("every old name leads to a key that exists", () => {
    expect(renamed.flatMap(({ to }) => to).filter((key) => lookUp(key) === undefined)).toEqual([]);
  });
});

describe("parquet_dedicated_columns", () => {
  test("warns of columns that a block has no room for", () => {
    const text = (section: string, version: string, count: number) => {
      const list = Array.from({ length: count }, (_, i) => `{ name: n${i}, type: int }, { name: s${i} }`);
      const columns = `parquet_dedicated_columns: [${list}]`;
      return section === "storage"
        ? `storage: { trace: { block: { version: ${version}, ${columns} } } }`
        : `storage: { trace: { block: { version: ${version} } } }\noverrides: { defaults: { storage: { ${columns} } } }`;
    };
    expect(warningsOf(text("storage", "vParquet5", 5))).toEqual([]);
    // vParquet4 has no columns of integers at all, as with Tempo's own default list.
    expect(warningsOf(text("storage", "vParquet4", 10))).toEqual([]);
    expect(warningsOf(text("storage", "vParquet4", 12))[0]).toEndWith(
      "storage.trace.block.parquet_dedicated_columns: span.s10, span.s11 ignored, vParquet4 blocks have no more columns of that scope and type",
    );
    expect(warningsOf(text("overrides", "vParquet5", 7))[0]).toEndWith(
      "overrides.defaults.storage.parquet_dedicated_columns: span.n5, span.n6 ignored, vParquet5 blocks have no more columns of that scope and type",
    );
  });

  const columnsOf = (list: string) => `storage: { trace: { block: { parquet_dedicated_columns: ${list} } } }`;

  test("is read with its defaults", () => {
    const text = columnsOf("[{ name: a }, { scope: resource, name: a, type: int, options: [array] }]");
    expect(loadConfig({ text }).config.storage.trace.block.parquet_dedicated_columns).toEqual([
      { scope: "span", name: "a", type: "string", options: [] },
      { scope: "resource", name: "a", type: "int", options: ["array"] },
    ]);
    expect(
      loadConfig({ text: columnsOf("[]") }).config.storage.trace.block.parquet_dedicated_columns,
    ).toEqual([]);
  });

  test("says which element is wrong", () => {
    const cases: [string, string][] = [
      ["[{ name: a }, { name: a }]", "element 2: span attribute a is listed twice"],
      ["[{ name: '' }]", "element 1: name must not be empty"],
      ["[{ name: a, type: float }]", 'element 1: type: expected one of string, int, found "float"'],
      ["[{ name: a, scop: span }]", "element 1: unknown key scop, expected scope, name, type, options"],
      ["[a]", 'element 1: expected a mapping with scope, name, type, options, found "a"'],
      ["a", 'expected a list, found "a"'],
    ];
    for (const [list, message] of cases) expect(problemsOf(columnsOf(list))[0]).toEndWith(message);
  });
});

test("verifyConfig() gives the lines for standard error", async () => {
  expect(await verifyConfig({ text: "auth_enabled: true", file: "t.yaml" })).toEqual({
    ok: true,
    lines: ["warning: t.yaml:1:1: auth_enabled: Tempo 2.x's name, read as multitenancy_enabled"],
  });
  expect(await verifyConfig({ text: "x: 1\ny: 2", file: "t.yaml" })).toEqual({
    ok: false,
    lines: ["error: t.yaml:1:1: x: unknown key", "error: t.yaml:2:1: y: unknown key"],
  });
});

test("loadConfig() gives a Config or a ConfigError for any text", () => {
  // A small generator of broken files: pieces of real ones, cut and joined at random with a fixed seed.
  const pieces =
    "server: |  http_listen_port: 1\n|storage:\n|  trace:\n|    backend: local|{|}|[|]|*a|&a |<<: |- |\n|\t|: |'|\"|#|null|!!int |overrides|distributor:\n  receivers:\n|    otlp:\n|\u0000|é|%|---\n|? |__proto__: 1\n|constructor: {}\n".split(
      "|",
    );
  let seed = 12_345;
  const random = (limit: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (seed >>> 8) % limit;
  };
  for (let round = 0; round < 3000; round++) {
    let text = "";
    for (let i = random(12); i >= 0; i--) text += pieces[random(pieces.length)];
    try {
      expect(loadConfig({ text }).config.target).toBe("all");
    } catch (error) {
      if (!(error instanceof ConfigError)) throw new Error(`on ${JSON.stringify(text)}`, { cause: error });
      expect(error.message).not.toBe("");
    }
  }
});

test("a cache of blocks is said to be needless where blocks are on the local disk", () => {
  const text = (backend: string) =>
    `storage: { trace: { backend: ${backend}, s3: { bucket: b, endpoint: e }, block_cache: { path: /cache } } }`;
  const warned = (backend: string) => loadConfig({ text: text(backend) }).warnings.map(({ key }) => key);
  expect(warned("local")).toContain("storage.trace.block_cache.path");
  expect(warned("s3")).not.toContain("storage.trace.block_cache.path");
  expect(() =>
    loadConfig({ text: "storage: { trace: { block_cache: { path: /cache, max_bytes: 1MiB } } }" }),
  ).toThrow("must be at least 67108864");
  const most = (max_bytes: string) =>
    loadConfig({ text: `storage: { trace: { block_cache: { max_bytes: ${max_bytes} } } }` });
  expect(most("128GiB").config.storage.trace.block_cache.max_bytes).toBe(137_438_953_472);
  expect(() => most("129GiB")).toThrow("storage.trace.block_cache.max_bytes: must be at most 137438953472");
});

test("a cache of blocks has a folder apart from the log's, neither around nor inside it", () => {
  const load = (cache: string, wal: string) =>
    loadConfig({
      text: `storage: { trace: { backend: s3, s3: { bucket: b, endpoint: e }, wal: { path: ${wal} }, block_cache: { path: ${cache} } } }`,
    });
  for (const [cache, wal] of [
    ["/data/wal", "/data/wal"],
    ["/data/wal/", "/data/x/../wal"],
    ["/data", "/data/wal"],
    ["/", "/data/wal"],
    ["data/wal/cache", "./data/wal"],
  ] as const) {
    expect(() => load(cache, wal), `${cache} ${wal}`).toThrow(
      `storage.trace.block_cache.path: must be a folder apart from storage.trace.wal.path, "${wal}", found "${cache}"`,
    );
  }
  expect(load("/data/wal-cache", "/data/wal").config.storage.trace.block_cache.path).toBe("/data/wal-cache");
});
