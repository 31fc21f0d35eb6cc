// How long requests took: the histogram that Tempo's dashboards and alerts are made of.
import type { MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { type Histogram, metrics, type Registry } from "./metrics.ts";

/** Tempo's bounds in seconds, so that its dashboards' quantiles read the same. */
export const requestSecondsBuckets: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100,
];

type RequestLabel = "method" | "route" | "status_code" | "ws";

export function requestDuration(registry: Registry = metrics): Histogram<RequestLabel> {
  return registry.histogram(
    "tempo_request_duration_seconds",
    "Time (in seconds) spent serving requests.",
    requestSecondsBuckets,
    ["method", "route", "status_code", "ws"],
  );
}

/** A route as its label has it: `/api/traces/:traceID` is `api_traces_traceid`. */
export function routeLabel(path: string): string {
  const label = path
    .replace(/\{[^}]*\}/g, (braces) => (/^\{\w+\}$/.test(braces) ? braces : "")) // a parameter's pattern is not its name
    .replace(/[^a-zA-Z0-9]+/g, "_")
    .replace(/^_|_$/g, "")
    .toLowerCase();
  return label === "" ? "root" : label;
}

/** Methods that get a label of their own; a client can make up any other. */
const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Hono middleware that measures every request, those without a route as `other`. Register it before the routes. */
export function measureRequests(registry: Registry = metrics): MiddlewareHandler {
  const duration = requestDuration(registry);
  const labels = new Map<string, string>();
  return async (c, next) => {
    const start = performance.now();
    try {
      await next();
    } finally {
      // The route that answered is the first one that isn't middleware, which is for all methods of a wildcard path.
      const route = matchedRoutes(c).find(
        ({ method, path }) => method !== "ALL" || !path.endsWith("*"),
      )?.path;
      let label = "other";
      if (route !== undefined) {
        label = labels.get(route) ?? routeLabel(route);
        labels.set(route, label);
      }
      const method = methods.has(c.req.method) ? c.req.method : "other";
      const seconds = (performance.now() - start) / 1000;
      duration.observe({ method, route: label, status_code: String(c.res.status), ws: "false" }, seconds);
    }
  };
}

/**
 * Measures a call over gRPC or Connect, as Tempo labels it: the route is the full method name, the status `success`,
 * `cancel` or `error`.
 */
export function observeRpc(
  duration: Histogram<RequestLabel>,
  method: string,
  status: string,
  seconds: number,
): void {
  duration.observe({ method: "gRPC", route: method, status_code: status, ws: "false" }, seconds);
}
