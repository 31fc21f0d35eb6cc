import { describe, expect, test } from "bun:test";
import type { Config } from "./config.ts";
import { defaultConfig } from "./defaults.ts";
import { listenPlan } from "./listen.ts";

function configured(change: (config: Config) => void): Config {
  const config = defaultConfig();
  change(config);
  return config;
}

function otlp(config: Config) {
  return config.distributor.receivers.otlp.protocols;
}

describe("listenPlan()", () => {
  test("opens Tempo's ports by default", () => {
    expect(listenPlan(defaultConfig())).toEqual([
      { host: "", port: 3200, services: ["tempo-http"] },
      { host: "", port: 9095, services: ["tempo-grpc"] },
      { host: "127.0.0.1", port: 4317, services: ["otlp-grpc"] },
      { host: "127.0.0.1", port: 4318, services: ["otlp-http"] },
    ]);
  });

  test("serves gRPC on the HTTP port when streaming is on", () => {
    const plan = listenPlan(configured((config) => (config.stream_over_http_enabled = true)));
    expect(plan[0]).toEqual({ host: "", port: 3200, services: ["tempo-http", "tempo-grpc"] });
    expect(plan).toHaveLength(4);
  });

  test("serves both where two keys name one port", () => {
    const plan = listenPlan(
      configured((config) => {
        config.server.grpc_listen_port = 4317;
        otlp(config).grpc!.endpoint = "0.0.0.0:4317";
      }),
    );
    expect(plan).toContainEqual({ host: "", port: 4317, services: ["tempo-grpc", "otlp-grpc"] });
    expect(plan).toHaveLength(3);
  });

  test("lets an address of every interface take in every host of its port", () => {
    const plan = listenPlan(
      configured((config) => {
        config.server.http_listen_address = "10.0.0.1";
        config.server.http_listen_port = 9000;
        config.server.grpc_listen_address = "10.0.0.2";
        config.server.grpc_listen_port = 9000;
        otlp(config).grpc!.endpoint = "0.0.0.0:9000";
        otlp(config).http!.endpoint = "localhost:9000";
      }),
    );
    expect(plan).toEqual([
      { host: "0.0.0.0", port: 9000, services: ["tempo-http", "tempo-grpc", "otlp-grpc", "otlp-http"] },
    ]);
  });

  test("needs both families when an IPv6 host shares the port of 0.0.0.0", () => {
    const plan = listenPlan(
      configured((config) => {
        otlp(config).grpc!.endpoint = "0.0.0.0:4317";
        otlp(config).http!.endpoint = "[::1]:4317";
      }),
    );
    expect(plan).toContainEqual({ host: "", port: 4317, services: ["otlp-grpc", "otlp-http"] });
  });

  test("keeps two hosts of one port apart, and localhost one with 127.0.0.1", () => {
    const plan = listenPlan(
      configured((config) => {
        config.server.http_listen_address = "10.0.0.1";
        config.server.http_listen_port = 4317;
        otlp(config).grpc!.endpoint = "localhost:4317";
        otlp(config).http!.endpoint = "127.0.0.1:4317";
      }),
    );
    expect(plan).toEqual([
      { host: "10.0.0.1", port: 4317, services: ["tempo-http"] },
      { host: "", port: 9095, services: ["tempo-grpc"] },
      { host: "127.0.0.1", port: 4317, services: ["otlp-grpc", "otlp-http"] },
    ]);
  });

  test("never shares port 0, and leaves out what does not listen", () => {
    const plan = listenPlan(
      configured((config) => {
        config.server.http_listen_port = 0;
        config.server.grpc_listen_port = 0;
        otlp(config).grpc!.endpoint = "127.0.0.1:0";
        otlp(config).http = null;
      }),
    );
    expect(plan).toEqual([
      { host: "", port: 0, services: ["tempo-http"] },
      { host: "", port: 0, services: ["tempo-grpc"] },
      { host: "127.0.0.1", port: 0, services: ["otlp-grpc"] },
    ]);
  });
});
