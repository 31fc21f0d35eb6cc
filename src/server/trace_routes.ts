// Trace by id over HTTP: both versions of the endpoint, as the front end and as a querier offers them.
import { type Context, Hono } from "hono";
import { TraceTooLarge } from "../query/trace_combine.ts";
import {
  type FindTraceRequest,
  type FoundTrace,
  QueryCanceled,
  QueryTimeout,
} from "../query/trace_finder.ts";
import { type TraceAnswer, traceV1Json, traceV2Json } from "../query/trace_json.ts";
import { traceLlmJson } from "../query/trace_llm.ts";
import { InvalidRequest, parseTraceId, parseTraceParams } from "../query/trace_request.ts";
import { traceByIdResponse } from "../query/trace_response.ts";
import { log } from "../telemetry/log.ts";
import { TenantError, type TenantHeader, tenantHeader } from "./tenant.ts";

export interface TraceRouteDeps {
  finder: { find(request: FindTraceRequest, signal: AbortSignal): Promise<FoundTrace> };
  /** The tenants that a request asks for. Throws TenantError. */
  tenantsOf(header: TenantHeader): string[];
  /** Largest trace that a tenant may ask for, in bytes, 0 = no limit. */
  maxBytesPerTrace(tenant: string): number;
}

type Format = "protobuf" | "json" | "llm";

/** What an Accept header may ask for. The first one that occurs in it wins, whatever its weight. */
const formats: [string, Format][] = [
  ["application/protobuf", "protobuf"],
  ["application/json", "json"],
  ["application/vnd.grafana.llm", "llm"],
];

export function traceRoutes(deps: TraceRouteDeps): Hono {
  const app = new Hono();
  // Errors of the front end end without a newline, those of the querier's handlers with one.
  app.all("/api/traces/:traceID", (c) => answer(c, deps, 1, ""));
  app.all("/api/v2/traces/:traceID", (c) => answer(c, deps, 2, ""));
  app.all("/querier/api/traces/:traceID", (c) => answer(c, deps, 1, "\n"));
  app.all("/querier/api/v2/traces/:traceID", (c) => answer(c, deps, 2, "\n"));
  return app;
}

async function answer(c: Context, deps: TraceRouteDeps, version: 1 | 2, errorEnd: string): Promise<Response> {
  try {
    const tenants = deps.tenantsOf(c.req.header(tenantHeader));
    const limits = tenants.map((tenant) => deps.maxBytesPerTrace(tenant));
    const request: FindTraceRequest = {
      tenants,
      traceId: parseTraceId(c.req.param("traceID")!),
      ...parseTraceParams((name) => c.req.query(name)),
      bytesMax: limits.includes(0) ? 0 : Math.max(...limits),
      allowPartial: version === 2,
    };
    const found = await deps.finder.find(request, c.req.raw.signal);
    const format = formatOf(c.req.header("Accept"));
    return version === 1 ? answerV1(found, format) : answerV2(found, format, request.bytesMax);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal.status === 500) log.error("trace by id failed", { path: c.req.path, error: refusal.error });
    return plain(refusal.status, refusal.error.message + (error instanceof TenantError ? "\n" : errorEnd));
  }
}

function answerV1(found: FoundTrace, format: Format): Response {
  if (found.trace.length === 0) return new Response(null, { status: 404 });
  if (format === "protobuf") return ok(found.trace, "application/protobuf");
  // This version has no form for language models, but calls its JSON one.
  return ok(traceV1Json(found.trace), format === "llm" ? "application/vnd.grafana.llm" : "application/json");
}

function answerV2(found: FoundTrace, format: Format, bytesMax: number): Response {
  const answer: TraceAnswer = {
    trace: found.trace,
    inspectedBytes: found.inspectedBytes,
    partialMessage: found.partial
      ? `Trace exceeds maximum size of ${bytesMax} bytes, a partial trace is returned`
      : null,
  };
  if (format === "protobuf") return ok(traceByIdResponse(answer), "application/protobuf");
  if (format === "llm") return ok(traceLlmJson(answer), "application/vnd.grafana.llm+json");
  return ok(traceV2Json(answer), "application/json");
}

function formatOf(
  accept: string | undefined, // the Accept header
): Format {
  return formats.find(([type]) => accept?.includes(type))?.[1] ?? "json";
}

/** Status of the answer to a failed request, and the error whose message is its body. */
function refusalOf(cause: unknown): { status: number; error: Error } {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  if (error instanceof TenantError) return { status: error.status, error };
  if (error instanceof InvalidRequest) return { status: 400, error };
  if (error instanceof TraceTooLarge) return { status: 422, error };
  if (error instanceof QueryCanceled) return { status: 499, error };
  if (error instanceof QueryTimeout) return { status: 504, error };
  // What a worker that is asked says, by its code.
  const code = "code" in error ? error.code : undefined;
  if (code === "resource_exhausted") return { status: 429, error: new Error("job queue full") };
  if (code === "deadline_exceeded") return { status: 504, error: new QueryTimeout() };
  return { status: 500, error };
}

function ok(body: Uint8Array, type: string): Response {
  return new Response(body as Uint8Array<ArrayBuffer>, { status: 200, headers: { "Content-Type": type } });
}

function plain(status: number, text: string): Response {
  return new Response(text, { status, headers: { "Content-Type": "text/plain; charset=utf-8" } });
}
