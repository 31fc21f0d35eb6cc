// Trace by id over HTTP: both versions of the endpoint, as the front end and as a querier offers them.
import type { Http2Bindings, HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { LookupTurns } from "../query/lookup_turns.ts";
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
  /** Default: one with the limits of its own. */
  turns?: LookupTurns;
}

type Format = "protobuf" | "json" | "llm";

/** The first version has no form for language models, but calls its JSON one. */
const contentTypes: Record<1 | 2, Record<Format, string>> = {
  1: {
    protobuf: "application/protobuf",
    json: "application/json",
    llm: "application/vnd.grafana.llm",
  },
  2: {
    protobuf: "application/protobuf",
    json: "application/json",
    llm: "application/vnd.grafana.llm+json",
  },
};

const nothing = new Uint8Array(0);

/** What an Accept header may ask for. The first one that occurs in it wins, whatever its weight. */
const formats: [string, Format][] = [
  ["application/protobuf", "protobuf"],
  ["application/json", "json"],
  ["application/vnd.grafana.llm", "llm"],
];

/** What the server gives beside a request; a test that asks the routes themselves gives nothing. */
type Bindings = { Bindings: Partial<HttpBindings | Http2Bindings> | undefined };

export function traceRoutes(deps: TraceRouteDeps): Hono {
  const app = new Hono<Bindings>();
  const turns = deps.turns ?? new LookupTurns();
  // Errors of the front end end without a newline, those of the querier's handlers with one.
  app.all("/api/traces/:traceID", (c) => answer(c, deps, turns, 1, ""));
  app.all("/api/v2/traces/:traceID", (c) => answer(c, deps, turns, 2, ""));
  app.all("/querier/api/traces/:traceID", (c) => answer(c, deps, turns, 1, "\n"));
  app.all("/querier/api/v2/traces/:traceID", (c) => answer(c, deps, turns, 2, "\n"));
  return app as unknown as Hono;
}

async function answer(
  c: Context<Bindings>,
  deps: TraceRouteDeps,
  turns: LookupTurns,
  version: 1 | 2,
  errorEnd: string,
): Promise<Response> {
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
    const { signal } = c.req.raw;
    await turns.begin(signal);
    let body: Uint8Array = nothing;
    try {
      const found = await deps.finder.find(request, signal);
      if (version === 1 && found.trace.length === 0) return new Response(null, { status: 404 });
      const format = formatOf(c.req.header("Accept"));
      const type = contentTypes[version][format];
      body = version === 1 ? bodyV1(found, format) : bodyV2(found, format, request.bytesMax);
      return new Response(body as Uint8Array<ArrayBuffer>, {
        status: 200,
        headers: { "Content-Type": type },
      });
    } finally {
      whenSent(c, turns.found(body.buffer.byteLength));
    }
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal.status === 500) log.error("trace by id failed", { path: c.req.path, error: refusal.error });
    return plain(refusal.status, refusal.error.message + (error instanceof TenantError ? "\n" : errorEnd));
  }
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

/** Calls back when an answer has been sent, or its client is gone. */
function whenSent(c: Context<Bindings>, then: () => void): void {
  const outgoing = c.env?.outgoing;
  if (outgoing === undefined || outgoing.destroyed) then();
  else outgoing.once("close", then);
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

function plain(status: number, text: string): Response {
  return new Response(text, { status, headers: { "Content-Type": "text/plain; charset=utf-8" } });
}
