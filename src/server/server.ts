// The server: a listener for every planned port, and on each the services that the plan names.
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import type { Config } from "../config/config.ts";
import { type Listen, listenPlan, type ServiceName } from "../config/listen.ts";
import { otlpHttpRoutes } from "../receivers/otlp_http.ts";
import { Receiver } from "../receivers/receiver.ts";
import type { SpanSink } from "../receivers/span_sink.ts";
import { createApp, type MountedRoutes } from "./app.ts";
import type { ConnectionTimes } from "./connections.ts";
import { type LifecycleDeps, lifecycleRoutes } from "./lifecycle_routes.ts";
import { type Handler, Listener } from "./listener.ts";
import { type PortOptions, portHandler } from "./port_handler.ts";
import { ReceiveMemory } from "./receive_memory.ts";
import { registerServerMetrics, type ServerState } from "./server_metrics.ts";
import type { QuerierDeps } from "./streaming_querier.ts";

/** Connections of one listener: each costs some 20 KB while it is silent. */
const connectionsMax = 4096;
const mebibyte = 1 << 20;

export interface ServerDeps extends LifecycleDeps {
  sink: SpanSink;
  /** Under `http_api_prefix`: the query API. */
  apiRoutes: Hono[];
  /** The rest of the HTTP port. */
  routes: Hono[];
  /** Where the streaming query API asks; without it there is none. */
  querier?: Omit<QuerierDeps, "packetBytesMax">;
  /** Whether the process is ready, for the health service. */
  ready(): boolean;
  /** Whether gRPC server reflection is on. */
  grpcReflection: boolean;
  /** What all requests being received may hold together. */
  receiveBytesMax: number;
}

export interface RunningServer extends ServerState {
  /** The listeners, with the ports that they really listen on. */
  readonly listens: Listen[];
  /** Every HTTP route, on whichever port. */
  readonly routes: { method: string; path: string }[];
  /** Takes nothing more, lets what runs end within `server.graceful_shutdown_timeout`. */
  stop(): Promise<void>;
}

/** @throws (as rejection) Error naming the address that can't be listened on; nothing is left listening */
export async function startServer(config: Config, deps: ServerDeps): Promise<RunningServer> {
  const memory = new ReceiveMemory(deps.receiveBytesMax);
  const receiver = new Receiver(deps.sink, config, memory);
  const { server } = config;
  const times: ConnectionTimes = {
    headerMsMax: server.http_server_read_header_timeout || server.http_server_read_timeout,
    idleMsMax: server.http_server_idle_timeout,
    http2IdleMsMax: Number.POSITIVE_INFINITY,
    writeMsMax: server.http_server_write_timeout,
  };
  const reflection = deps.grpcReflection;
  const listeners: { listener: Listener; services: ServiceName[] }[] = [];
  const routes: RunningServer["routes"] = [];
  const state: ServerState = {
    get receivedBytes() {
      return memory.bytesHeld;
    },
    get connections() {
      return listeners.reduce((sum, { listener }) => sum + listener.connections, 0);
    },
  };
  const endMetrics = registerServerMetrics(state);
  const stopping = new AbortController();
  const stop = async () => {
    stopping.abort();
    await Promise.all(listeners.map(({ listener }) => listener.stop(server.graceful_shutdown_timeout)));
    endMetrics();
  };
  try {
    for (const { host, port, services } of listenPlan(config)) {
      const shared = { receiver, reflection, stopping: stopping.signal };
      const { handler, app } = createHandler(services, config, deps, shared);
      routes.push(...app.routes);
      const streamsMax = server.grpc_server_max_concurrent_streams;
      const listener = await Listener.start({ host, port, handler, times, connectionsMax, streamsMax });
      listeners.push({ listener, services });
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return Object.assign(state, {
    listens: listeners.map(({ listener: { host, port }, services }) => ({ host, port, services })),
    routes,
    stop,
  });
}

function createHandler(
  services: ServiceName[],
  config: Config,
  deps: ServerDeps,
  shared: Pick<PortOptions, "receiver" | "reflection" | "stopping">,
): { handler: Handler; app: Hono } {
  const { grpc, http } = config.distributor.receivers.otlp.protocols;
  const receivers: Hono[] = [];
  if (services.includes("otlp-http") && http !== null) {
    const { traces_url_path: path, max_request_body_size: bodyBytesMax } = http;
    receivers.push(otlpHttpRoutes({ receiver: shared.receiver, path, bodyBytesMax }));
  }
  const app = createApp(receivers, services.includes("tempo-http") ? mountedRoutes(config, deps) : []);
  const tempoBytesMax = services.includes("tempo-grpc") ? config.server.grpc_server_max_recv_msg_size : 0;
  const otlpBytesMax = services.includes("otlp-grpc") && grpc ? grpc.max_recv_msg_size_mib * mebibyte : 0;
  const packetBytesMax = config.query_frontend.max_grpc_streaming_packet_size;
  const handler = portHandler({
    ...shared,
    ready: deps.ready,
    exportBytesMax: otlpBytesMax,
    querier: tempoBytesMax > 0 && deps.querier ? { ...deps.querier, packetBytesMax } : null,
    messageBytesMax: Math.max(tempoBytesMax, otlpBytesMax),
    // The host is for HTTP/1.0 requests, which needn't name one: health checks of load balancers don't.
    http: getRequestListener(app.fetch, { overrideGlobalObjects: false, hostname: "localhost" }),
  });
  return { handler, app };
}

function mountedRoutes({ server, http_api_prefix }: Config, deps: ServerDeps): MountedRoutes[] {
  const prefix = server.http_path_prefix;
  return [
    ...deps.apiRoutes.map((routes) => ({ prefix: prefix + http_api_prefix, routes })),
    ...[...deps.routes, lifecycleRoutes(deps)].map((routes) => ({ prefix, routes })),
  ];
}
