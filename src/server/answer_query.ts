// How queries are answered over HTTP, whatever they ask: in their turn, and with a plain text for what goes wrong.
import type { Http2Bindings, HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import type { QueryTurns } from "../query/query_turns.ts";
import { log } from "../telemetry/log.ts";
import { garbage } from "../threads/garbage.ts";
import { type Refusal, refusalOf } from "./refusal.ts";
import { TenantError } from "./tenant.ts";

/** What the server gives beside a request; a test that asks the routes themselves gives nothing. */
export type Bindings = { Bindings: Partial<HttpBindings | Http2Bindings> | undefined };

export interface Answer {
  status: 200 | 404;
  /** Of the body, if there is one. */
  contentType?: string;
  body: Uint8Array;
}

/** Reads the request, before its turn, and returns what answers it. Both may throw. */
type Prepare = () => Prepared | Promise<Prepared>;
type Prepared = (client: AbortSignal) => Promise<Answer>;

/** @param errorEnd what ends the text of an error */
export function answerQuery(
  c: Context<Bindings>,
  turns: QueryTurns,
  errorEnd: "" | "\n",
  prepare: Prepare,
): Promise<Response> {
  return answerOrRefuse(c, turns, prepare, ({ status, message }, error) =>
    plain(status, message + (error instanceof TenantError ? "\n" : errorEnd)),
  );
}

/** What an answer leaves behind for each of its bytes: what it was made of, it, and the copy that was sent. */
const garbagePerByte = 3;

/** @param refuse how the protocol says what went wrong */
export async function answerOrRefuse(
  c: Context<Bindings>,
  turns: QueryTurns,
  prepare: Prepare,
  refuse: (refusal: Refusal, error: unknown) => Response,
): Promise<Response> {
  try {
    const find = await prepare();
    const { signal } = c.req.raw;
    await turns.begin(signal);
    let held = 0;
    try {
      const { status, contentType, body } = await find(signal);
      if (contentType === undefined) return new Response(null, { status });
      held = body.buffer.byteLength;
      const headers = { "Content-Type": contentType };
      return new Response(body as Uint8Array<ArrayBuffer>, { status, headers });
    } finally {
      const end = turns.end(held);
      whenSent(c, () => {
        end();
        garbage.add(held * garbagePerByte);
      });
    }
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal.status === 500) log.error("query failed", { path: c.req.path, error: error as Error });
    return refuse(refusal, error);
  }
}

/** Calls back when an answer has been sent, or its client is gone. */
function whenSent(c: Context<Bindings>, then: () => void): void {
  const outgoing = c.env?.outgoing;
  if (outgoing === undefined || outgoing.destroyed) then();
  else outgoing.once("close", then);
}

function plain(status: number, text: string): Response {
  return new Response(text, { status, headers: { "Content-Type": "text/plain; charset=utf-8" } });
}

export type Format = "protobuf" | "json" | "llm";

/** What an Accept header may ask for. The first one that occurs in it wins, whatever its weight. */
const formats: [string, Format][] = [
  ["application/protobuf", "protobuf"],
  ["application/json", "json"],
  ["application/vnd.grafana.llm", "llm"],
];

export function formatOf(
  accept: string | undefined, // the Accept header
): Format {
  return formats.find(([type]) => accept?.includes(type))?.[1] ?? "json";
}

export const protobufType = "application/protobuf";
export const jsonType = "application/json";
export const llmType = "application/vnd.grafana.llm+json";
