// OTLP's trace service through Connect: gRPC-Web, Connect's own protocol, and the forms of gRPC that otlp_grpc.ts leaves.
import { ConnectError, type ConnectRouter, createContextKey, createContextValues } from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { RetryInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
import { TraceService } from "../gen/rubato/ingest/v1/trace_service_pb.ts";
import { type ContentEncoding, decompress, isContentEncoding } from "../server/content_encoding.ts";
import { BodyTooLarge } from "../server/receive_memory.ts";
import { duration, type RpcError } from "../server/rpc_error.ts";
import { tenantHeader } from "../server/tenant.ts";
import { otlpJsonToProtobuf } from "./otlp_json.ts";
import type { Receiver } from "./receiver.ts";

/** Reads a request that came as OTLP/JSON, which isn't the JSON that protobuf-es reads: ids are hex. */
type ReadJson = () => Promise<Uint8Array>;
const jsonRequest = createContextKey<ReadJson | null>(null, { description: "OTLP request sent as JSON" });

/** @param messageBytesMax largest message, compressed or not */
export function otlpConnectRoutes(router: ConnectRouter, receiver: Receiver, messageBytesMax: number): void {
  router.service(
    TraceService,
    {
      async export({ resourceSpans }, { requestHeader, values }) {
        try {
          const tenant = receiver.tenant(requestHeader.get(tenantHeader));
          const readJson = values.get(jsonRequest);
          await receiver.push(tenant, readJson === null ? message(resourceSpans) : await readJson());
        } catch (error) {
          throw connectError(receiver.error(error));
        }
        return { partialSuccess: {} };
      },
    },
    { readMaxBytes: messageBytesMax },
  );
}

function connectError({ message, code, retryDelayMs }: RpcError): ConnectError {
  if (!(retryDelayMs > 0)) return new ConnectError(message, code);
  const { seconds, nanos } = duration(retryDelayMs);
  const value = { retryDelay: { seconds: BigInt(seconds), nanos } };
  return new ConnectError(message, code, undefined, [{ desc: RetryInfoSchema, value }]);
}

/** The Content-Type of Connect's unary calls in JSON. */
export function isConnectJson(
  contentType: string | undefined, // the Content-Type header
): boolean {
  return /^application\/json *(;|$)/i.test(contentType ?? "");
}

/**
 * Puts a JSON request's body where the service looks for it, and leaves Connect an empty message.
 *
 * @param body the body whole, as it was sent
 */
export function withJsonBody(
  request: UniversalServerRequest,
  body: Uint8Array,
  messageBytesMax: number,
): UniversalServerRequest {
  const encoding = request.header.get("content-encoding");
  // Connect refuses what it doesn't know, and says so.
  const compressed = encoding !== null && isContentEncoding(encoding);
  const header = new Headers(request.header);
  header.delete("content-length");
  if (compressed) header.delete("content-encoding");
  const readJson = () => toProtobuf(body, compressed ? (encoding as ContentEncoding) : null, messageBytesMax);
  return { ...request, header, body: {}, contextValues: createContextValues().set(jsonRequest, readJson) };
}

async function toProtobuf(
  body: Uint8Array,
  encoding: ContentEncoding | null,
  messageBytesMax: number,
): Promise<Uint8Array> {
  const json = encoding === null ? body : await decompress(encoding, body, messageBytesMax);
  if (json.length > messageBytesMax) throw new BodyTooLarge(messageBytesMax);
  const request = new Uint8Array(json.length);
  return request.subarray(0, otlpJsonToProtobuf(json, request));
}

/** Field 1, length-delimited. */
const resourceSpansTag = 0x0a;

/** ExportTraceServiceRequest protobuf of serialized resource spans. */
export function message(resourceSpans: Uint8Array[]): Uint8Array {
  let bytes = 0;
  for (const { length } of resourceSpans) {
    bytes += 2 + length;
    for (let rest = length >>> 7; rest > 0; rest >>>= 7) bytes++;
  }
  const request = new Uint8Array(bytes);
  let at = 0;
  for (const each of resourceSpans) {
    request[at++] = resourceSpansTag;
    let { length } = each;
    for (; length > 127; length >>>= 7) request[at++] = (length & 127) | 128;
    request[at++] = length;
    request.set(each, at);
    at += each.length;
  }
  return request;
}
