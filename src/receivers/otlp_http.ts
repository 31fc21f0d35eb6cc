// OTLP over HTTP: POST of protobuf or JSON, answered in the same form.
import type { Http2Bindings, HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import {
  type ContentEncoding,
  decompress,
  isContentEncoding,
  MalformedBody,
} from "../server/content_encoding.ts";
import { checkContentLength, readAccepted, UploadCut, UploadTooSlow } from "../server/read_body.ts";
import { BodyTooLarge, ReceivedBody } from "../server/receive_memory.ts";
import { RpcCode, type RpcError, retryInfoType, statusProtobuf } from "../server/rpc_error.ts";
import { tenantHeader } from "../server/tenant.ts";
import { otlpJsonToProtobuf } from "./otlp_json.ts";
import type { Receiver } from "./receiver.ts";

const protobuf = "application/x-protobuf";
const json = "application/json";
type Form = typeof protobuf | typeof json;

const encoder = new TextEncoder();
/** ExportTraceServiceResponse with partial_success present and empty, as Tempo sends it. */
const success: Record<Form, Uint8Array<ArrayBuffer>> = {
  [protobuf]: Uint8Array.of(0x0a, 0x00),
  [json]: encoder.encode('{"partialSuccess":{}}'),
};

export interface OtlpHttpOptions {
  receiver: Receiver;
  /** Where spans are posted to: `traces_url_path`. */
  path: string;
  /** Largest body, compressed or not. */
  bodyBytesMax: number;
}

export function otlpHttpRoutes({ receiver, path, bodyBytesMax }: OtlpHttpOptions): Hono {
  const app = new Hono<{ Bindings: HttpBindings | Http2Bindings }>();
  app.all(path, async (c) => {
    if (c.req.method !== "POST") return text(405, "405 method not allowed, supported: [POST]");
    const form = formOf(c.req.header("Content-Type"));
    if (form === null) {
      return text(415, "415 unsupported media type, supported: [application/json, application/x-protobuf]");
    }
    try {
      await take(c.env.incoming, form, receiver, bodyBytesMax);
      return new Response(success[form], { headers: { "Content-Type": form } });
    } catch (error) {
      // The rest of a body that was given up on must not be read as the next request.
      const close = error instanceof UploadTooSlow || !c.env.incoming.readableEnded;
      if (error instanceof UploadCut) return new Response(null, { status: 499 });
      const answer = errorResponse(receiver.error(asHttp(error)), form);
      if (close && c.env.incoming.httpVersionMajor === 1) answer.headers.set("Connection", "close");
      return answer;
    }
  });
  return app as unknown as Hono;
}

async function take(
  request: (HttpBindings | Http2Bindings)["incoming"],
  form: Form,
  receiver: Receiver,
  bodyBytesMax: number,
): Promise<void> {
  const { headers } = request;
  const { memory } = receiver;
  const body = new ReceivedBody(memory, bodyBytesMax);
  let reserved = 0;
  let written: Uint8Array<ArrayBuffer> | null = null;
  try {
    checkContentLength(headers["content-length"], bodyBytesMax);
    const { tenant, encoding } = await readAccepted(request, body, receiver.readMsMax, () => ({
      tenant: receiver.tenant(headers[tenantHeader]),
      encoding: encodingOf(headers["content-encoding"]),
    }));
    let content: Uint8Array = body.whole();
    if (encoding !== null) {
      content = await decompress(encoding, content, Math.min(bodyBytesMax, memory.bodyBytesMax));
      memory.reserve(content.length);
      reserved = content.length;
    }
    if (form === json) {
      written = memory.take(content.length);
      content = written.subarray(0, otlpJsonToProtobuf(content, written));
    }
    await receiver.push(tenant, content);
  } finally {
    body.release();
    memory.release(reserved);
    if (written !== null) memory.give(written);
  }
}

function formOf(
  contentType: string | undefined, // the Content-Type header, perhaps with parameters
): Form | null {
  const type = contentType?.split(";", 1)[0]?.trim().toLowerCase();
  return type === protobuf || type === json ? type : null;
}

function encodingOf(
  contentEncoding: string | undefined, // the Content-Encoding header
): ContentEncoding | null {
  const name = contentEncoding?.trim().toLowerCase() ?? "";
  if (name === "" || name === "identity") return null;
  if (isContentEncoding(name)) return name;
  throw new MalformedBody(`unsupported Content-Encoding: ${contentEncoding}`);
}

/** Over HTTP a body that is too large is a bad request, as Tempo answers it: it must not be sent again. */
function asHttp(error: unknown): unknown {
  return error instanceof BodyTooLarge ? new MalformedBody(error.message) : error;
}

/** google.rpc.Status in the request's form. */
function errorResponse(error: RpcError, form: Form): Response {
  const headers: Record<string, string> = { "Content-Type": form };
  if (error.retryDelayMs > 0) headers["Retry-After"] = String(Math.ceil(error.retryDelayMs / 1000));
  const body = form === json ? statusJson(error) : statusProtobuf(error);
  return new Response(body, { status: httpStatus(error.code), headers });
}

function statusJson({ code, message, retryDelayMs }: RpcError): string {
  if (!(retryDelayMs > 0)) return JSON.stringify({ code, message });
  return JSON.stringify({
    code,
    message,
    details: [{ "@type": retryInfoType, retryDelay: `${retryDelayMs / 1000}s` }],
  });
}

function httpStatus(code: RpcCode): number {
  switch (code) {
    case RpcCode.invalidArgument:
      return 400;
    case RpcCode.unimplemented:
      return 404;
    case RpcCode.resourceExhausted:
      return 429;
    case RpcCode.canceled:
    case RpcCode.deadlineExceeded:
    case RpcCode.unavailable:
      return 503;
  }
}

function text(status: number, body: string): Response {
  return new Response(body, { status, headers: { "Content-Type": "text/plain" } });
}
