// The services of a port through Connect: gRPC, gRPC-Web and Connect's own protocol on the same handlers. Loaded when
// the first such call comes, which in most processes is never: see rpc_error.ts.
import type { DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, createConnectRouter, type Interceptor } from "@connectrpc/connect";
import { Health } from "../gen/grpc/health/v1/health_pb.ts";
import { TraceService } from "../gen/rubato/ingest/v1/trace_service_pb.ts";
import { StreamingQuerier } from "../gen/rubato/querier/v1/streaming_querier_pb.ts";
import { isConnectJson, otlpConnectRoutes, withJsonBody } from "../receivers/otlp_connect.ts";
import { exportPath } from "../receivers/otlp_grpc.ts";
import { healthService } from "./health.ts";
import type { AnyRequest, AnyResponse } from "./listener.ts";
import type { PortOptions } from "./port_handler.ts";
import { serveRpc } from "./rpc_adapter.ts";
import { rpcCompressions } from "./rpc_compression.ts";
import type { MeasureRpc } from "./rpc_metrics.ts";
import { streamingQuerier } from "./streaming_querier.ts";

/** Answers a call; false if the port has no such method. */
export type RpcRoutes = (path: string, request: AnyRequest, response: AnyResponse) => boolean;

export async function createRpcRoutes(options: PortOptions, measure: MeasureRpc): Promise<RpcRoutes> {
  const { receiver, ready, stopping, exportBytesMax, messageBytesMax } = options;
  const router = createConnectRouter({
    acceptCompression: rpcCompressions,
    readMaxBytes: messageBytesMax,
    interceptors: [measureCalls(measure)],
  });
  const services: DescService[] = [Health];
  if (exportBytesMax > 0) {
    otlpConnectRoutes(router, receiver, exportBytesMax);
    services.push(TraceService);
  }
  if (options.querier !== null) {
    router.service(StreamingQuerier, streamingQuerier(options.querier));
    services.push(StreamingQuerier);
  }
  const names = services.map(({ typeName }) => typeName);
  router.service(Health, healthService(ready, names, stopping));
  if (options.reflection) (await import("./reflection.ts")).reflectionRoutes(router, services);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  const { memory, readMsMax } = receiver;

  return (path, request, response) => {
    const handler = handlers.get(path);
    if (handler === undefined) return false;
    const exporting = path === exportPath;
    const limits = { memory, readMsMax, messageBytesMax: exporting ? exportBytesMax : messageBytesMax };
    const json = exporting && isConnectJson(request.headers["content-type"]);
    void serveRpc(handler, request, response, limits, (call, body) =>
      json ? withJsonBody(call, body, exportBytesMax) : undefined,
    );
    return true;
  };
}

/** Measures whatever Connect serves: a stream until its last message. */
function measureCalls(measure: MeasureRpc): Interceptor {
  return (next) => async (request) => {
    const start = performance.now();
    const path = `/${request.service.typeName}/${request.method.name}`;
    const done = (failure?: ConnectError) => measure(path, start, failure?.code);
    try {
      const response = await next(request);
      if (response.stream) return { ...response, message: measured(response.message, done) };
      done();
      return response;
    } catch (error) {
      done(ConnectError.from(error, Code.Internal));
      throw error;
    }
  };
}

async function* measured<T>(
  messages: AsyncIterable<T>,
  done: (failure?: ConnectError) => void,
): AsyncGenerator<T> {
  let failure: ConnectError | undefined;
  try {
    yield* messages;
  } catch (error) {
    failure = ConnectError.from(error, Code.Internal);
    throw error;
  } finally {
    done(failure);
  }
}
