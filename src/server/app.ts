// The HTTP side of one port: the routes of the services on it, and what all routes share.
import { Hono, type MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { getPath } from "hono/utils/url";
import { log } from "../telemetry/log.ts";
import { measureRequests } from "../telemetry/request_metrics.ts";
import { gzipResponses } from "./gzip_responses.ts";
import { TenantError } from "./tenant.ts";

/** Routes with what goes before each of their paths. */
export interface MountedRoutes {
  prefix: string;
  routes: Hono;
}

/**
 * @param receivers routes that spans come by, whose answers are a few bytes
 * @param api all others, whose answers are compressed for clients that take it
 */
export function createApp(receivers: Hono[], api: MountedRoutes[]): Hono {
  // A base URL that ends in a slash makes paths that begin with two: Grafana and OTLP exporters send such.
  const app = new Hono({ getPath: (request) => getPath(request).replace(/\/{2,}/g, "/") });
  app.use(measureRequests());
  if (log.enabled("debug")) app.use(logRequests);
  for (const routes of receivers) app.route("/", routes);
  if (api.length > 0) app.use(gzipResponses);
  for (const { prefix, routes } of api) app.route(prefix === "" ? "/" : prefix, routes);
  app.notFound((c) => {
    const allowed = methodsOf(app, c.req.path);
    if (allowed.length > 0) return text(405, "405 method not allowed\n", { Allow: allowed.join(", ") });
    return text(404, "404 page not found\n");
  });
  app.onError((error, c) => {
    if (error instanceof HTTPException) return error.getResponse();
    if (error instanceof TenantError) return text(error.status, `${error.message}\n`);
    log.error("request failed", { method: c.req.method, path: c.req.path, error });
    return text(500, "internal error\n");
  });
  return app;
}

const logRequests: MiddlewareHandler = async (c, next) => {
  const start = performance.now();
  await next();
  log.debug("request", {
    method: c.req.method,
    path: c.req.path,
    status: c.res.status,
    ms: Math.round((performance.now() - start) * 1000) / 1000,
  });
};

/** The methods that a path has routes for; those of a wildcard path are middleware. */
function methodsOf(app: Hono, path: string): string[] {
  return ["GET", "POST"].filter((method) =>
    app.router.match(method, path)[0].some(([[, route]]) => !route.path.endsWith("*")),
  );
}

function text(status: number, body: string, headers: Record<string, string> = {}): Response {
  return new Response(body, {
    status,
    headers: {
      "Content-Type": "text/plain; charset=utf-8",
      "X-Content-Type-Options": "nosniff",
      ...headers,
    },
  });
}
