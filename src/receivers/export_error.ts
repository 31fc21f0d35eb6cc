// Why an export failed, as every OTLP protocol says it: one error per cause, with the code by which clients decide
// whether to send again.
import { MalformedBody } from "../server/content_encoding.ts";
import { UploadTooSlow } from "../server/read_body.ts";
import { BodyTooLarge, ReceiveBusy } from "../server/receive_memory.ts";
import { RpcCode, RpcError } from "../server/rpc_error.ts";
import { TenantError } from "../server/tenant.ts";
import { log } from "../telemetry/log.ts";
import { OtlpJsonError } from "./otlp_json.ts";
import { isRefused } from "./span_sink.ts";

/**
 * @param error whatever reading, decoding or pushing a request threw
 * @param retryDelayMs what a client without a more precise answer is told to wait; 0 says nothing
 */
export function exportError(error: unknown, retryDelayMs: number): RpcError {
  if (error instanceof RpcError) return error;
  if (isRefused(error)) {
    switch (error.code) {
      case "invalid_argument":
        return new RpcError(error.message, RpcCode.invalidArgument);
      case "resource_exhausted":
        return new RpcError(error.message, RpcCode.resourceExhausted, error.retryDelayMs ?? retryDelayMs);
      case "unavailable":
        return new RpcError(error.message, RpcCode.unavailable, error.retryDelayMs);
    }
  }
  if (error instanceof ReceiveBusy)
    return new RpcError(error.message, RpcCode.resourceExhausted, retryDelayMs);
  if (error instanceof BodyTooLarge) return new RpcError(error.message, RpcCode.resourceExhausted);
  if (error instanceof MalformedBody || error instanceof OtlpJsonError) {
    return new RpcError(error.message, RpcCode.invalidArgument);
  }
  if (error instanceof UploadTooSlow) return new RpcError(error.message, RpcCode.deadlineExceeded);
  if (error instanceof TenantError) {
    // An error without a gRPC status is UNAVAILABLE to OTLP's receivers, and Tempo's missing tenant is one.
    return new RpcError(error.message, error.status === 401 ? RpcCode.unavailable : RpcCode.invalidArgument);
  }
  log.error("export failed", { error: error instanceof Error ? error : new Error(String(error)) });
  return new RpcError("internal error, the server's log says more", RpcCode.unavailable);
}
