import { afterAll, describe, expect, test } from "bun:test";
import { createFileRegistry, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  type ServerReflectionRequestSchema,
  ServerReflection as V1,
} from "../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as V1alpha } from "../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { startTestServer } from "./test_server.ts";

const server = await startTestServer(() => {}, { grpcReflection: true });
const without = await startTestServer();
afterAll(() => Promise.all([server.stop(), without.stop()]));

type Request = MessageInitShape<typeof ServerReflectionRequestSchema>["messageRequest"];

async function ask(
  messageRequest: Request,
  { on = server, service = V1 }: { on?: typeof server; service?: typeof V1 } = {},
) {
  const client = createClient(service, createGrpcTransport({ baseUrl: on.url("otlp-grpc") }));
  async function* requests() {
    yield { host: "h", messageRequest };
  }
  for await (const { messageResponse } of client.serverReflectionInfo(requests())) return messageResponse;
  throw new Error("no answer");
}

async function files(messageRequest: Request): Promise<FileDescriptorProto[]> {
  const answer = await ask(messageRequest);
  if (answer.case !== "fileDescriptorResponse")
    throw new Error(`${answer.case}: ${JSON.stringify(answer.value)}`);
  return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
}

describe("server reflection", () => {
  test("is off unless it is asked for", async () => {
    const error = await ask({ case: "listServices", value: "" }, { on: without }).catch((failure) =>
      ConnectError.from(failure),
    );
    expect(error).toMatchObject({ code: Code.Unimplemented });
  });

  test.each([
    ["v1", V1],
    ["v1alpha", V1alpha as unknown as typeof V1],
  ])("lists the services by %s", async (_, service) => {
    const answer = await ask({ case: "listServices", value: "" }, { service });
    expect(answer.value).toMatchObject({
      service: [
        { name: "grpc.health.v1.Health" },
        { name: "grpc.reflection.v1.ServerReflection" },
        { name: "grpc.reflection.v1alpha.ServerReflection" },
        { name: "opentelemetry.proto.collector.trace.v1.TraceService" },
      ],
    });
  });

  test("shows OTLP's service with the messages that OpenTelemetry defines, and all that they need", async () => {
    const service = "opentelemetry.proto.collector.trace.v1.TraceService";
    for (const symbol of [service, `${service}.Export`]) {
      const found = await files({ case: "fileContainingSymbol", value: symbol });
      expect(found[0]!.name).toBe("opentelemetry/proto/collector/trace/v1/trace_service.proto");
      const registry = createFileRegistry({
        $typeName: "google.protobuf.FileDescriptorSet",
        file: found.toReversed(),
      });
      expect(registry.getService(service)!.methods[0]!.input.fields[0]!.message!.typeName).toBe(
        "opentelemetry.proto.trace.v1.ResourceSpans",
      );
      expect(registry.getMessage("opentelemetry.proto.trace.v1.Span")!.fields.length).toBe(16);
    }
  });

  test("finds a file by its name", async () => {
    const [file] = await files({ case: "fileByFilename", value: "grpc/health/v1/health.proto" });
    expect(file!.package).toBe("grpc.health.v1");
  });

  test("says what it doesn't know", async () => {
    for (const request of [
      { case: "fileContainingSymbol", value: "no.such.Thing" },
      { case: "fileByFilename", value: "no.proto" },
      { case: "allExtensionNumbersOfType", value: "no.such.Thing" },
      { case: "fileContainingExtension", value: { containingType: "x", extensionNumber: 1 } },
    ] as Request[]) {
      expect(await ask(request)).toMatchObject({
        case: "errorResponse",
        value: { errorCode: Code.NotFound },
      });
    }
    expect(
      await ask({ case: "allExtensionNumbersOfType", value: "grpc.health.v1.HealthCheckRequest" }),
    ).toMatchObject({
      case: "allExtensionNumbersResponse",
      value: { extensionNumber: [] },
    });
  });
});
