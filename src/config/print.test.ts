import { describe, expect, test } from "bun:test";
import { defaultConfig } from "./defaults.ts";
import { loadConfig } from "./load.ts";
import { printConfig } from "./print.ts";

const text = `
stream_over_http_enabled: true
server:
  http_path_prefix: /tempo
  log_level: debug
distributor:
  receivers:
    otlp:
      protocols:
        grpc:
          endpoint: 0.0.0.0:4317
storage:
  trace:
    local: { path: "/data/my blocks" }
    wal: { path: "true", sync: always }
    block:
      parquet_dedicated_columns:
        - { scope: span, name: "http: method", type: string, options: [blob, array] }
        - { name: peer.service }
    s3:
      bucket: "0123"
      access_key: me
      secret_key: hunter2
      tags: { team: tracing, "odd key": "1" }
live_store:
  max_block_duration: 90s
`;

describe("printConfig()", () => {
  test("prints what differs, in Go's forms and with secrets as stars", () => {
    expect(printConfig(loadConfig({ text }).config, "diff")).toBe(`---
stream_over_http_enabled: true
server:
  log_level: debug
  http_path_prefix: /tempo
distributor:
  receivers:
    otlp:
      protocols:
        grpc:
          endpoint: 0.0.0.0:4317
          max_recv_msg_size_mib: 4
storage:
  trace:
    local:
      path: "/data/my blocks"
    wal:
      path: "true"
      sync: always
    block:
      parquet_dedicated_columns:
      - scope: span
        name: "http: method"
        type: string
        options: [blob, array]
      - scope: span
        name: peer.service
        type: string
        options: []
    s3:
      bucket: "0123"
      access_key: me
      secret_key: "********"
      tags:
        team: tracing
        "odd key": "1"
live_store:
  max_block_duration: 1m30s
`);
  });

  test("prints a configuration that reads back as itself", () => {
    const { config } = loadConfig({ text: text.replace("secret_key: hunter2", "") });
    for (const mode of ["full", "diff"] as const) {
      expect(loadConfig({ text: printConfig(config, mode) }).config).toEqual(config);
    }
    expect(loadConfig({ text: printConfig(config, "defaults") }).config).toEqual(defaultConfig());
  });

  test("prints a configuration without receivers that reads back as itself", () => {
    const { config } = loadConfig({ text: "distributor: { receivers: { zipkin: } }" });
    expect(config.distributor.receivers.otlp.protocols).toEqual({ grpc: null, http: null });
    for (const mode of ["full", "diff"] as const) {
      expect(loadConfig({ text: printConfig(config, mode) }).config).toEqual(config);
    }
  });

  test("prints everything, or the defaults whatever is configured", () => {
    const { config } = loadConfig({ text });
    const full = printConfig(config, "full");
    expect(full).toMatch(/^---\ntarget: all\n/);
    expect(full).toMatch(/^query_frontend:$/m);
    expect(full).toMatch(/^ {2}log_level: debug$/m);
    expect(printConfig(config, "defaults")).toMatch(/^ {2}log_level: info$/m);
    expect(printConfig(config, "defaults")).toBe(printConfig(defaultConfig(), "full"));
  });

  test("prints an empty mapping when nothing differs", () => {
    expect(printConfig(defaultConfig(), "diff")).toBe("---\n{}\n");
  });
});
