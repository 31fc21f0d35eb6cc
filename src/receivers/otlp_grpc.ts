// OTLP over gRPC and HTTP/2, for the one call that all spans come by: TraceService/Export.
//
// Connect serves this call too (otlp_connect.ts), as it serves every other: gRPC-Web, Connect's own protocol, JSON.
// But the plain gRPC call, which is nearly all of the traffic, has this path of its own. Measured with 450-byte spans on
// Bun, sockets included: through Connect 1.0 µs of CPU per span at 500 spans a request and 6 µs at 25, here 0.35 and 1.8.
// Connect's pipeline takes some 120 µs per request, whatever its size, and two more buffers of the request's size.
import { constants, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { decompress, isContentEncoding } from "../server/content_encoding.ts";
import { readAccepted, UploadCut } from "../server/read_body.ts";
import { ReceivedBody } from "../server/receive_memory.ts";
import { errorTrailers, RpcCode, RpcError } from "../server/rpc_error.ts";
import { tenantHeader } from "../server/tenant.ts";
import type { Receiver } from "./receiver.ts";

export const exportPath = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/** What compressed messages may be compressed with. */
export const grpcEncodings = ["gzip", "deflate", "zstd", "snappy"] as const;

/** Flags and length of a gRPC message, before its bytes. */
const prefixBytes = 5;
const compressedFlag = 1;

/** An ExportTraceServiceResponse whose partial_success is present and empty, as Tempo sends it, behind its prefix. */
const success = Uint8Array.of(0, 0, 0, 0, 2, 0x0a, 0x00);
const responseHeader = {
  "content-type": "application/grpc",
  "grpc-accept-encoding": grpcEncodings.join(","),
};

/** Whether a request is for this path rather than for Connect. */
export function isPlainGrpc(
  contentType: string | undefined, // the Content-Type header
): boolean {
  return contentType === "application/grpc" || contentType === "application/grpc+proto";
}

/**
 * Answers one Export call. It never throws and holds no memory once it is through. A call's deadline is the client's to
 * keep: it cancels the call when it is over, and what has been pushed by then stays.
 *
 * @param messageBytesMax largest message, compressed or not
 * @returns what the call failed with, if it did
 */
export async function serveExport(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  receiver: Receiver,
  messageBytesMax: number,
): Promise<RpcError | undefined> {
  const body = new ReceivedBody(receiver.memory, prefixBytes + messageBytesMax);
  let decompressedBytes = 0;
  try {
    const { headers } = request;
    if (request.method !== "POST") throw new RpcError("gRPC needs POST", RpcCode.unimplemented);
    const tenant = await receive(request, body, messageBytesMax, receiver);
    const bytes = body.whole();
    let message: Uint8Array = bytes.subarray(prefixBytes);
    if (bytes[0]! & compressedFlag) {
      const encoding = headers["grpc-encoding"];
      message = await decompress(compressionOf(encoding), message, messageBytesMax);
      receiver.memory.reserve(message.length);
      decompressedBytes = message.length;
    }
    await receiver.push(tenant, message);
    if (response.stream.destroyed) throw new UploadCut(); // canceled, and taken all the same
    response.writeHead(200, responseHeader);
    response.write(success);
    response.addTrailers({ "grpc-status": "0" });
    response.end();
    return undefined;
  } catch (cause) {
    if (cause instanceof UploadCut) return new RpcError(cause.message, RpcCode.canceled);
    const error = receiver.error(cause);
    fail(response, error);
    return error;
  } finally {
    body.release();
    receiver.memory.release(decompressedBytes);
  }
}

/** Reads the call's only message, prefix and all, and says whose it is. */
async function receive(
  request: Http2ServerRequest,
  body: ReceivedBody,
  messageBytesMax: number,
  receiver: Receiver,
): Promise<string> {
  let messageBytes = -1;
  const accept = () => receiver.tenant(request.headers[tenantHeader]);
  const tenant = await readAccepted(request, body, receiver.readMsMax, accept, () => {
    if (messageBytes < 0) {
      if (body.length < prefixBytes) return;
      const bytes = body.head(prefixBytes);
      messageBytes = ((bytes[1]! << 24) | (bytes[2]! << 16) | (bytes[3]! << 8) | bytes[4]!) >>> 0;
      if (messageBytes > messageBytesMax) throw tooLarge(messageBytes, messageBytesMax);
    }
    if (body.length > prefixBytes + messageBytes) {
      throw new RpcError("export call with more than one message", RpcCode.unimplemented);
    }
  });
  if (body.length === 0) throw new RpcError("export call without a message", RpcCode.unimplemented);
  if (body.length !== prefixBytes + messageBytes) {
    throw new RpcError("export message is cut off", RpcCode.invalidArgument);
  }
  return tenant;
}

function tooLarge(bytes: number, bytesMax: number): RpcError {
  return new RpcError(
    `received message larger than max (${bytes} vs. ${bytesMax})`,
    RpcCode.resourceExhausted,
  );
}

function compressionOf(
  encoding: string | string[] | undefined, // the Grpc-Encoding header
): (typeof grpcEncodings)[number] {
  if (typeof encoding === "string" && isContentEncoding(encoding) && encoding !== "zlib") return encoding;
  throw new RpcError(
    `unknown compression "${encoding ?? ""}": supported encodings are ${grpcEncodings.join(",")}`,
    RpcCode.unimplemented,
  );
}

function fail(response: Http2ServerResponse, error: RpcError): void {
  const { stream } = response;
  if (stream.destroyed || response.headersSent) return;
  response.writeHead(200, responseHeader);
  response.addTrailers(errorTrailers(error));
  // A server that has seen enough closes the stream with NO_ERROR behind its answer (RFC 9113 §8.1). At once would be
  // before the trailers on Deno; the response's own "finish" comes only when the stream is closed.
  if (!stream.readableEnded) {
    stream.once("finish", () => setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR)));
  }
  response.end();
}
