// Which sockets to open and what to serve on each: services that name one port share its listener.
import type { Config } from "./config.ts";
import { type Endpoint, parseEndpoint } from "./endpoint.ts";

const serviceNames = ["tempo-http", "tempo-grpc", "otlp-grpc", "otlp-http"] as const;
export type ServiceName = (typeof serviceNames)[number];

export interface Listen extends Endpoint {
  services: ServiceName[];
}

/**
 * Merges what is configured for one port: an address of every interface (`0.0.0.0`, `::` or none) takes in every other
 * host on that port, since the kernel would refuse the second socket; two different hosts stay two listeners. Port 0
 * asks for a free port and is never shared. `localhost` is 127.0.0.1, as Go resolves it.
 */
export function listenPlan(config: Config): Listen[] {
  const plan: Listen[] = [];
  for (const { service, host, port } of services(config)) {
    const sharing = plan.filter((other) => port !== 0 && other.port === port && overlaps(other.host, host));
    const listen = sharing[0];
    if (listen === undefined) {
      plan.push({ host, port, services: [service] });
      continue;
    }
    // An address of every interface that comes last may join several listeners.
    const names = new Set<ServiceName>([service, ...sharing.flatMap((each) => each.services)]);
    listen.services = serviceNames.filter((name) => names.has(name));
    listen.host = sharing.reduce((widest, each) => wider(widest, each.host), host);
    for (const other of sharing.slice(1)) plan.splice(plan.indexOf(other), 1);
  }
  return plan;
}

interface Service extends Endpoint {
  service: ServiceName;
}

function services(config: Config): Service[] {
  const { server, stream_over_http_enabled, distributor } = config;
  const { grpc, http } = distributor.receivers.otlp.protocols;
  const api = { host: canonical(server.http_listen_address), port: server.http_listen_port };
  const all: Service[] = [{ service: "tempo-http", ...api }];
  if (stream_over_http_enabled) all.push({ service: "tempo-grpc", ...api });
  all.push({
    service: "tempo-grpc",
    host: canonical(server.grpc_listen_address),
    port: server.grpc_listen_port,
  });
  if (grpc !== null) all.push({ service: "otlp-grpc", ...receiver(grpc.endpoint) });
  if (http !== null) all.push({ service: "otlp-http", ...receiver(http.endpoint) });
  return all;
}

function receiver(endpoint: string): Endpoint {
  const { host, port } = parseEndpoint(endpoint)!; // checked when the configuration was read
  return { host: canonical(host), port };
}

function canonical(host: string): string {
  return host.toLowerCase() === "localhost" ? "127.0.0.1" : host;
}

/** Whether this is an address of every interface, of IPv4 or of both families. */
export function isEveryInterface(host: string): boolean {
  return host === "" || host === "0.0.0.0" || host === "::";
}

function overlaps(a: string, b: string): boolean {
  return a === b || isEveryInterface(a) || isEveryInterface(b);
}

/** Of two overlapping hosts the one whose socket serves both; empty (both families) beats 0.0.0.0. */
function wider(a: string, b: string): string {
  if (a === b) return a;
  if (isEveryInterface(a) && isEveryInterface(b)) return "";
  if (isEveryInterface(a)) return a === "0.0.0.0" && b.includes(":") ? "" : a;
  return b === "0.0.0.0" && a.includes(":") ? "" : b;
}
