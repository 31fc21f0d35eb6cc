// Where a request of a port goes: to the gRPC path that spans come by, to Connect, or to the HTTP routes.
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { exportPath, isPlainGrpc, serveExport } from "../receivers/otlp_grpc.ts";
import type { Receiver } from "../receivers/receiver.ts";
import { log } from "../telemetry/log.ts";
import type { AnyRequest, AnyResponse, Handler } from "./listener.ts";
import { errorTrailers, RpcCode, RpcError } from "./rpc_error.ts";
import { rpcMeasure } from "./rpc_metrics.ts";
import type { RpcRoutes } from "./rpc_routes.ts";
import type { QuerierDeps } from "./streaming_querier.ts";

export interface PortOptions {
  receiver: Receiver;
  ready(): boolean;
  /** Given when the server stops, to end what would go on by itself. */
  stopping: AbortSignal;
  /** Largest message of OTLP's gRPC service; 0 where the port hasn't got it. */
  exportBytesMax: number;
  /** Largest message of any gRPC service; 0 where the port has none. */
  messageBytesMax: number;
  /** What the streaming query API asks; null where the port hasn't got it. */
  querier: QuerierDeps | null;
  /** Whether the port's services are shown to tools. */
  reflection: boolean;
  /** Everything else. */
  http: (request: AnyRequest, response: AnyResponse) => unknown;
}

export function portHandler(options: PortOptions): Handler {
  const { receiver, exportBytesMax, messageBytesMax, http } = options;
  if (messageBytesMax === 0) return http;
  const measure = rpcMeasure();
  let routes: Promise<RpcRoutes> | null = null;

  return (request, response) => {
    const path = pathOf(request.url);
    const contentType = request.headers["content-type"];
    const exporting = exportBytesMax > 0 && path === exportPath;
    if (exporting && request.httpVersionMajor === 2 && isPlainGrpc(contentType)) {
      const { call, answer } = http2Pair(request, response);
      const start = performance.now();
      void serveExport(call, answer, receiver, exportBytesMax).then((error) =>
        measure(path, start, error?.code),
      );
    } else if (isRpc(path, contentType)) {
      routes ??= import("./rpc_routes.ts").then(({ createRpcRoutes }) => createRpcRoutes(options, measure));
      routes.then(
        (serve) => serve(path, request, response) || unknownMethod(path, contentType, request, response),
        (error) => {
          log.error("rpc failed", { method: path, error });
          response.destroy();
        },
      );
    } else {
      http(request, response);
    }
  };

  function unknownMethod(
    path: string,
    contentType: string | undefined,
    ...pair: [AnyRequest, AnyResponse]
  ): void {
    const [request] = pair;
    // gRPC-Web keeps its trailers in the body: its clients take a plain 404 for an unknown method.
    if (request.httpVersionMajor < 2 || !/^application\/grpc(?!-web)/.test(contentType ?? "")) {
      http(...pair);
      return;
    }
    const { answer } = http2Pair(...pair);
    request.resume();
    answer.writeHead(200, { "content-type": grpcType });
    answer.addTrailers(errorTrailers(new RpcError(`unknown method ${path}`, RpcCode.unimplemented)));
    answer.end();
  }
}

const grpcType = "application/grpc";
/** Services that Connect's own protocols call as well, with other content types. */
const services = [
  "/grpc.health.v1.Health/",
  "/opentelemetry.proto.collector.trace.v1.TraceService/",
  "/tempopb.StreamingQuerier/",
];

function isRpc(
  path: string,
  contentType: string | undefined, // the Content-Type header
): boolean {
  return contentType?.startsWith(grpcType) || services.some((service) => path.startsWith(service));
}

function pathOf(url: string | undefined): string {
  const path = url ?? "";
  const query = path.indexOf("?");
  return query < 0 ? path : path.slice(0, query);
}

/** The caller has seen that the request came by HTTP/2. */
function http2Pair(request: AnyRequest, response: AnyResponse) {
  return { call: request as Http2ServerRequest, answer: response as Http2ServerResponse };
}
