// TraceQL metrics over HTTP.
import { type Context, Hono } from "hono";
import { instantJson, rangeJson } from "../query/metrics_json.ts";
import type { MetricsPart, MetricsQueries } from "../query/metrics_queries.ts";
import { type MetricsParams, parseMetricsParams } from "../query/metrics_request.ts";
import type { MetricsRequest } from "../query/metrics_types.ts";
import { answerQuery, type Bindings, jsonType } from "./answer_query.ts";
import { type TenantHeader, tenantHeader } from "./tenant.ts";

export interface MetricsRouteDeps {
  metrics: MetricsQueries;
  /** The tenants that a request asks for. Throws TenantError. */
  tenantsOf(header: TenantHeader): string[];
}

export function metricsRoutes({ metrics, tenantsOf }: MetricsRouteDeps): Hono {
  const app = new Hono<Bindings>();
  // Always JSON, whatever is accepted: so is Tempo's answer.
  const answer = (
    c: Context<Bindings>,
    prepare: (params: MetricsParams, tenants: string[]) => MetricsRequest,
    json: (part: MetricsPart) => Uint8Array,
  ) =>
    answerQuery(c, metrics.turns, "", () => {
      const tenants = tenantsOf(c.req.header(tenantHeader));
      const params = parseMetricsParams((name) => c.req.query(name));
      const request = prepare(params, tenants);
      return async (client) => ({
        status: 200,
        contentType: jsonType,
        body: json(await metrics.whole(request, client)),
      });
    });

  app.all("/api/metrics/query_range", (c) =>
    answer(c, (params, tenants) => metrics.rangeRequest(params, tenants, false), rangeJson),
  );
  app.all("/api/metrics/query", (c) =>
    answer(c, (params, tenants) => metrics.instantRequest(params, tenants, false), instantJson),
  );
  return app as unknown as Hono;
}
