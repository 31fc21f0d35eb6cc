// gRPC server reflection, v1 and v1alpha: tells tools such as grpcurl which services there are, and their messages.
// Loaded only when it is switched on, since the .proto files that it shows are needed by nothing else.
import { createRegistry, type DescFile, type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import {
  ServerReflection as ReflectionV1,
  type ServerReflectionRequest as RequestV1,
} from "../gen/grpc/reflection/v1/reflection_pb.ts";
import {
  ServerReflection as ReflectionV1alpha,
  type ServerReflectionRequest as RequestV1alpha,
} from "../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { file_opentelemetry_proto_collector_trace_v1_trace_service as otlpFile } from "../gen/opentelemetry/proto/collector/trace/v1/trace_service_pb.ts";
import { file_tempopb_tempo as tempoFile } from "../gen/tempopb/tempo_pb.ts";

/** @param services what the port serves, shown as those who designed them define them */
export function reflectionRoutes(router: ConnectRouter, services: DescService[]): void {
  const shown = [...services.map(asDefined), ReflectionV1, ReflectionV1alpha];
  const files = closure(shown.map(({ file }) => file));
  const registry = createRegistry(...files);
  const names = shown.map(({ typeName }) => typeName).sort();

  function answer({ messageRequest }: RequestV1 | RequestV1alpha): Answer {
    switch (messageRequest.case) {
      case "listServices":
        return { case: "listServicesResponse", value: { service: names.map((name) => ({ name })) } };
      case "fileByFilename":
        return fileAnswer(
          files.find(({ proto }) => proto.name === messageRequest.value),
          messageRequest.value,
        );
      case "fileContainingSymbol":
        return fileAnswer(fileOf(messageRequest.value), messageRequest.value);
      case "allExtensionNumbersOfType":
        return registry.getMessage(messageRequest.value) === undefined
          ? failure(Code.NotFound, `unknown type: ${messageRequest.value}`)
          : {
              case: "allExtensionNumbersResponse",
              value: { baseTypeName: messageRequest.value, extensionNumber: [] },
            };
      case "fileContainingExtension":
        return failure(Code.NotFound, `unknown extension of ${messageRequest.value.containingType}`);
      default:
        return failure(Code.InvalidArgument, "no request in the message");
    }
  }

  function fileOf(symbol: string): DescFile | undefined {
    const desc = registry.get(symbol) ?? registry.get(symbol.slice(0, symbol.lastIndexOf(".")));
    return desc && files.find(({ proto }) => proto.name === desc.file.proto.name);
  }

  router.service(ReflectionV1, {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) {
        yield { validHost: request.host, originalRequest: request, messageResponse: answer(request) };
      }
    },
  });
  router.service(ReflectionV1alpha, {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) {
        yield { validHost: request.host, originalRequest: request, messageResponse: answer(request) };
      }
    },
  });
}

type Answer =
  | { case: "fileDescriptorResponse"; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: "allExtensionNumbersResponse"; value: { baseTypeName: string; extensionNumber: number[] } }
  | { case: "listServicesResponse"; value: { service: { name: string }[] } }
  | { case: "errorResponse"; value: { errorCode: number; errorMessage: string } };

/** The server has .proto files of its own for OTLP and for Tempo's queries, in which spans and traces are bytes. */
function asDefined(service: DescService): DescService {
  const defined = [...otlpFile.services, ...tempoFile.services];
  return defined.find(({ typeName }) => typeName === service.typeName) ?? service;
}

/** The files with all that they import, each after its imports. */
function closure(files: DescFile[], seen: Set<DescFile> = new Set()): DescFile[] {
  for (const file of files) {
    if (seen.has(file)) continue;
    closure(file.dependencies, seen);
    seen.add(file);
  }
  return [...seen];
}

function fileAnswer(file: DescFile | undefined, asked: string): Answer {
  if (file === undefined) return failure(Code.NotFound, `not found: ${asked}`);
  const protos = closure([file]).reverse();
  return {
    case: "fileDescriptorResponse",
    value: { fileDescriptorProto: protos.map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto)) },
  };
}

function failure(errorCode: Code, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
