// Between node:http, node:http2 and Connect: like connectNodeAdapter() of @connectrpc/connect-node, with limits in time and
// memory for what is received, and an end: its promise for an answer never settles.
import type { ServerResponse } from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import type {
  UniversalHandler,
  UniversalServerRequest,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import { universalRequestFromNodeRequest } from "@connectrpc/connect-node";
import { log } from "../telemetry/log.ts";
import type { AnyRequest, AnyResponse } from "./listener.ts";
import { readBody, UploadCut, UploadTooSlow } from "./read_body.ts";
import { BodyTooLarge, ReceiveBusy, ReceivedBody, type ReceiveMemory } from "./receive_memory.ts";
import { percentEncode } from "./rpc_error.ts";

/** What a call's messages may take beyond their own size: prefixes, and a trailer of gRPC-Web or Connect streams. */
const framingBytesMax = 64 << 10;

export interface RpcLimits {
  memory: ReceiveMemory;
  readMsMax: number;
  messageBytesMax: number;
}

/**
 * Answers one call. It never throws.
 *
 * A call with one request message is read whole before Connect sees it: that is where it may be refused.
 *
 * @param change may replace the request that Connect is given; the body is then valid until the answer is through
 */
export async function serveRpc(
  handler: UniversalHandler,
  request: AnyRequest,
  response: AnyResponse,
  { memory, readMsMax, messageBytesMax }: RpcLimits,
  change?: (call: UniversalServerRequest, body: Uint8Array) => UniversalServerRequest | undefined,
): Promise<void> {
  const body = new ReceivedBody(memory, messageBytesMax + framingBytesMax);
  try {
    let call = universalRequestFromNodeRequest(request, response, undefined, undefined);
    const { methodKind } = handler.method;
    if (methodKind === "unary" || methodKind === "server_streaming") {
      let failure: unknown;
      await readBody(request, body, readMsMax).catch((error) => {
        failure = error;
      });
      if (failure instanceof UploadCut) return;
      if (failure !== undefined) call = { ...call, body: fails(failure) };
      else call = change?.(call, body.whole()) ?? { ...call, body: once(body) };
    }
    await answer(await handler(call), response as ServerResponse);
  } catch (error) {
    const { code } = ConnectError.from(error);
    if (code !== Code.Aborted && code !== Code.Canceled) {
      log.error("rpc failed", {
        method: handler.requestPath,
        error: error instanceof Error ? error : String(error),
      });
      if (!response.headersSent) (response as ServerResponse).writeHead(500);
      response.end();
    }
  } finally {
    body.release();
  }
}

async function answer(
  { status, header, body, trailer }: UniversalServerResponse,
  response: ServerResponse,
): Promise<void> {
  const chunks = body?.[Symbol.asyncIterator]();
  const gone = () => response.destroyed || response.socket?.destroyed !== false;
  try {
    // An implementation may set headers until its first message.
    let chunk = await chunks?.next();
    if (gone()) return;
    response.writeHead(status, Object.fromEntries(header ?? []));
    for (; chunk !== undefined && !chunk.done; chunk = await chunks?.next()) {
      const taken = response.write(chunk.value);
      if (!taken && !(await drained(response))) {
        await chunks?.throw?.(new ConnectError("the client is gone", Code.Canceled));
        return;
      }
    }
    if (trailer !== undefined) response.addTrailers(plainTrailers(trailer));
    response.end();
  } finally {
    await chunks?.return?.();
  }
}

/**
 * Trailers as node:http2 takes them, with the message percent-encoded no further than gRPC asks. Connect encodes commas
 * and slashes too, which grpc-js doesn't decode.
 */
function plainTrailers(trailer: Headers): Record<string, string> {
  const trailers = Object.fromEntries(trailer);
  const message = trailers["grpc-message"];
  if (message !== undefined) trailers["grpc-message"] = percentEncode(decodeURIComponent(message));
  return trailers;
}

/** Resolves when more can be written, with false if no one is left to read it. */
function drained(response: ServerResponse): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const onDrain = () => done(true);
    const onClose = () => done(false);
    const done = (more: boolean) => {
      response.off("drain", onDrain).off("close", onClose);
      resolve(more);
    };
    response.on("drain", onDrain).on("close", onClose);
  });
}

/** Connect copies what it is given, so that a long answer needn't hold the request. */
async function* once(body: ReceivedBody): AsyncIterable<Uint8Array> {
  yield body.whole();
  body.release();
}

/** A body that fails to be read: Connect then answers with the error in the call's own protocol. */
async function* fails(failure: unknown): AsyncIterable<Uint8Array> {
  yield* [];
  if (failure instanceof BodyTooLarge || failure instanceof ReceiveBusy) {
    throw new ConnectError(failure.message, Code.ResourceExhausted);
  }
  if (failure instanceof UploadTooSlow) throw new ConnectError(failure.message, Code.DeadlineExceeded);
  throw failure;
}
