// A server on free ports with a sink that keeps what it is given, for tests of the server and its receivers.
import { Hono } from "hono";
import type { Config } from "../config/config.ts";
import { defaultConfig } from "../config/defaults.ts";
import type { ServiceName } from "../config/listen.ts";
import { type RunningServer, type ServerDeps, startServer } from "./server.ts";

export interface Pushed {
  tenant: string;
  request: Uint8Array;
}

export interface TestServer {
  running: RunningServer;
  /** What arrived, in its order. */
  pushed: Pushed[];
  /** Called before a request is kept; what it throws refuses the request. */
  sink: { refuse: (request: Uint8Array) => void | Promise<void> };
  flushed: (string | undefined)[];
  shutdowns: number;
  ready: boolean;
  port(service: ServiceName): number;
  url(service: ServiceName): string;
  stop(): Promise<void>;
}

/** @param change changes the default configuration, in which every service has a free port of its own */
export async function startTestServer(
  change: (config: Config) => void = () => {},
  deps: Partial<ServerDeps> = {},
): Promise<TestServer> {
  const config = defaultConfig();
  config.server.http_listen_address = "127.0.0.1";
  config.server.http_listen_port = 0;
  config.server.grpc_listen_address = "127.0.0.1";
  config.server.grpc_listen_port = 0;
  config.distributor.receivers.otlp.protocols = {
    grpc: { endpoint: "127.0.0.1:0", max_recv_msg_size_mib: 4 },
    http: { endpoint: "127.0.0.1:0", traces_url_path: "/v1/traces", max_request_body_size: 20 << 20 },
  };
  change(config);
  const test: Omit<TestServer, "running"> = {
    pushed: [],
    sink: { refuse: () => {} },
    flushed: [],
    shutdowns: 0,
    ready: true,
    port: (service) => running.listens.find(({ services }) => services.includes(service))!.port,
    url: (service) => `http://127.0.0.1:${test.port(service)}`,
    stop: () => running.stop(),
  };
  const running = await startServer(config, {
    sink: {
      async push(tenant, request) {
        await test.sink.refuse(request);
        test.pushed.push({ tenant, request: request.slice() });
      },
    },
    apiRoutes: [],
    routes: [new Hono()],
    ready: () => test.ready,
    grpcReflection: false,
    receiveBytesMax: 40 << 20,
    flush: async (tenant) => test.flushed.push(tenant),
    shutdown: () => {
      test.shutdowns++;
    },
    ...deps,
  });
  return Object.assign(test, { running });
}
