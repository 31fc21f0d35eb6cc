// TraceQL metrics in the way that Prometheus answers PromQL: for clients that know its API and not Tempo's.
import { type Context, Hono } from "hono";
import type { MetricsQueries } from "../query/metrics_queries.ts";
import { errorJson, matrixJson, scalarJson, successJson, vectorJson } from "../query/prometheus_json.ts";
import {
  parseHealthCheck,
  parsePrometheusInstant,
  parsePrometheusRange,
} from "../query/prometheus_request.ts";
import { buildInfo } from "../telemetry/build_info.ts";
import { type Answer, answerOrRefuse, type Bindings, jsonType } from "./answer_query.ts";
import { readForm } from "./read_form.ts";
import type { Refusal } from "./refusal.ts";
import { type TenantHeader, tenantHeader } from "./tenant.ts";

export interface PrometheusRouteDeps {
  metrics: MetricsQueries;
  /** The tenants that a request asks for. Throws TenantError. */
  tenantsOf(header: TenantHeader): string[];
  /** Unix milliseconds. Default: the clock's. */
  now?: () => number;
}

type Param = (name: string) => string | undefined;

export function prometheusRoutes({ metrics, tenantsOf, now = Date.now }: PrometheusRouteDeps): Hono {
  const app = new Hono<Bindings>();
  const answer = (
    c: Context<Bindings>,
    prepare: (param: Param, tenants: string[]) => (client: AbortSignal) => Promise<Uint8Array>,
  ) =>
    answerOrRefuse(
      c,
      metrics.turns,
      async () => {
        const tenants = tenantsOf(c.req.header(tenantHeader));
        const form = await readForm(c.req.raw);
        const find = prepare((name) => form.get(name) ?? c.req.query(name), tenants);
        return async (client): Promise<Answer> => ({
          status: 200,
          contentType: jsonType,
          body: await find(client),
        });
      },
      refused,
    );

  app.on(["GET", "POST"], "/prometheus/api/v1/query_range", (c) =>
    answer(c, (param, tenants) => {
      const { params, range } = parsePrometheusRange(param);
      const request = { ...metrics.rangeRequest(params, tenants, false), exemplars: 0 };
      return async (client) => matrixJson(await metrics.whole(request, client), range);
    }),
  );
  app.on(["GET", "POST"], "/prometheus/api/v1/query", (c) =>
    answer(c, (param, tenants) => {
      const check = parseHealthCheck(param, now());
      if (check !== null) return async () => scalarJson(check.timeMs, check.value);
      const { params, timeMs } = parsePrometheusInstant(param, now());
      const request = metrics.instantRequest(params, tenants, false);
      return async (client) => vectorJson(await metrics.whole(request, client), timeMs);
    }),
  );

  // No series is stored that could be browsed: each is made by its query.
  const success = (data: unknown) => () => json(200, successJson(data));
  app.get("/prometheus/api/v1/status/buildinfo", success(buildInfo));
  app.on(["GET", "POST"], "/prometheus/api/v1/labels", success([]));
  app.get("/prometheus/api/v1/label/:name/values", success([]));
  app.on(["GET", "POST"], "/prometheus/api/v1/series", success([]));
  app.get("/prometheus/api/v1/metadata", success({}));
  return app as unknown as Hono;
}

/** Statuses and types of error that Prometheus has, by the status that Tempo gives. */
const errors: Readonly<Record<number, [status: number, errorType: string]>> = {
  400: [400, "bad_data"],
  401: [401, "bad_data"],
  422: [422, "execution"],
  429: [503, "unavailable"],
  499: [499, "canceled"],
  504: [503, "timeout"],
};

function refused({ status, message }: Refusal): Response {
  const [shown, errorType] = errors[status] ?? [500, "internal"];
  return json(shown, errorJson(errorType, message));
}

function json(status: number, body: Uint8Array): Response {
  return new Response(body as Uint8Array<ArrayBuffer>, { status, headers: { "Content-Type": jsonType } });
}
