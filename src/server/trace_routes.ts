// Trace by id over HTTP: both versions of the endpoint, as the front end and as a querier offers them.
import { type Context, Hono } from "hono";
import { QueryTurns } from "../query/query_turns.ts";
import type { FindTraceRequest, FoundTrace } from "../query/trace_finder.ts";
import { type TraceAnswer, traceV1Json, traceV2Json } from "../query/trace_json.ts";
import { traceLlmJson } from "../query/trace_llm.ts";
import { parseTraceId, parseTraceParams } from "../query/trace_request.ts";
import { traceByIdResponse } from "../query/trace_response.ts";
import {
  answerQuery,
  type Bindings,
  type Format,
  formatOf,
  jsonType,
  llmType,
  protobufType,
} from "./answer_query.ts";
import { type TenantHeader, tenantHeader } from "./tenant.ts";

export interface TraceRouteDeps {
  finder: { find(request: FindTraceRequest, signal: AbortSignal): Promise<FoundTrace> };
  /** The tenants that a request asks for. Throws TenantError. */
  tenantsOf(header: TenantHeader): string[];
  /** Largest trace that a tenant may ask for, in bytes, 0 = no limit. */
  maxBytesPerTrace(tenant: string): number;
  /** Default: one with the limits of its own. */
  turns?: QueryTurns;
}

/** The first version has no form for language models, but calls its JSON one. */
const contentTypes: Record<1 | 2, Record<Format, string>> = {
  1: { protobuf: protobufType, json: jsonType, llm: "application/vnd.grafana.llm" },
  2: { protobuf: protobufType, json: jsonType, llm: llmType },
};

const nothing = new Uint8Array(0);

export function traceRoutes(deps: TraceRouteDeps): Hono {
  const app = new Hono<Bindings>();
  const turns = deps.turns ?? new QueryTurns("traces");
  const answer = (c: Context<Bindings>, version: 1 | 2, errorEnd: "" | "\n") =>
    answerQuery(c, turns, errorEnd, () => {
      const request = requestOf(c, deps, version);
      return async (client) => {
        const found = await deps.finder.find(request, client);
        if (version === 1 && found.trace.length === 0) return { status: 404, body: nothing };
        const format = formatOf(c.req.header("Accept"));
        const body = version === 1 ? bodyV1(found, format) : bodyV2(found, format, request.bytesMax);
        return { status: 200, contentType: contentTypes[version][format], body };
      };
    });
  // Errors of the front end end without a newline, those of the querier's handlers with one.
  app.all("/api/traces/:traceID", (c) => answer(c, 1, ""));
  app.all("/api/v2/traces/:traceID", (c) => answer(c, 2, ""));
  app.all("/querier/api/traces/:traceID", (c) => answer(c, 1, "\n"));
  app.all("/querier/api/v2/traces/:traceID", (c) => answer(c, 2, "\n"));
  return app as unknown as Hono;
}

function requestOf(c: Context<Bindings>, deps: TraceRouteDeps, version: 1 | 2): FindTraceRequest {
  const tenants = deps.tenantsOf(c.req.header(tenantHeader));
  const limits = tenants.map((tenant) => deps.maxBytesPerTrace(tenant));
  return {
    tenants,
    traceId: parseTraceId(c.req.param("traceID")!),
    ...parseTraceParams((name) => c.req.query(name)),
    bytesMax: limits.includes(0) ? 0 : Math.max(...limits),
    allowPartial: version === 2,
  };
}

function bodyV1(found: FoundTrace, format: Format): Uint8Array {
  return format === "protobuf" ? found.trace : traceV1Json(found.trace);
}

function bodyV2(found: FoundTrace, format: Format, bytesMax: number): Uint8Array {
  const answer: TraceAnswer = {
    trace: found.trace,
    inspectedBytes: found.inspectedBytes,
    partialMessage: found.partial
      ? `Trace exceeds maximum size of ${bytesMax} bytes, a partial trace is returned`
      : null,
  };
  if (format === "protobuf") return traceByIdResponse(answer);
  return format === "llm" ? traceLlmJson(answer) : traceV2Json(answer);
}
