import { expect, test } from "bun:test";
import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { RetryInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../gen/google/rpc/status_pb.ts";
import { errorTrailers, percentEncode, RpcCode, RpcError, statusProtobuf } from "./rpc_error.ts";

test("statusProtobuf() writes what protobuf-es reads", () => {
  const message = "full: ä ".repeat(100);
  const plain = fromBinary(StatusSchema, statusProtobuf(new RpcError(message, RpcCode.invalidArgument)));
  expect(plain).toMatchObject({ code: 3, message, details: [] });
  for (const [ms, seconds, nanos] of [
    [250, 0n, 250_000_000],
    [5000, 5n, 0],
    [86_400_001.5, 86_400n, 1_500_000],
  ] as const) {
    const error = new RpcError("m", RpcCode.resourceExhausted, ms);
    const { details } = fromBinary(StatusSchema, statusProtobuf(error));
    expect(anyUnpack(details[0]!, RetryInfoSchema)!.retryDelay).toMatchObject({ seconds, nanos });
  }
});

test("errorTrailers() adds details only where there are some", () => {
  expect(errorTrailers(new RpcError("a, b/c", RpcCode.unavailable))).toEqual({
    "grpc-status": "14",
    "grpc-message": "a, b/c",
  });
  const { "grpc-status-details-bin": details } = errorTrailers(
    new RpcError("m", RpcCode.resourceExhausted, 1),
  );
  expect(details).not.toEndWith("=");
  expect(fromBinary(StatusSchema, Buffer.from(details!, "base64")).code).toBe(8);
});

test("percentEncode() leaves printable ASCII but the percent sign", () => {
  expect(percentEncode("100 % ~ö\n\u{1f600}")).toBe("100 %25 ~%C3%B6%0A%F0%9F%98%80");
});
