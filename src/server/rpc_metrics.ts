// How long calls over gRPC and Connect took.

import { log } from "../telemetry/log.ts";
import { observeRpc, requestDuration } from "../telemetry/request_metrics.ts";
import { RpcCode } from "./rpc_error.ts";

/**
 * @param path the method's path
 * @param startMs `performance.now()` at the call's start
 * @param code the code of gRPC that it failed with, if it did
 */
export type MeasureRpc = (path: string, startMs: number, code?: number) => void;

export function rpcMeasure(): MeasureRpc {
  const duration = requestDuration();
  return (path, startMs, code) => {
    const ms = performance.now() - startMs;
    const status = code === undefined ? "success" : code === RpcCode.canceled ? "cancel" : "error";
    observeRpc(duration, path, status, ms / 1000);
    if (log.enabled("debug")) log.debug("call", { path, code: code ?? 0, ms: Math.round(ms * 1000) / 1000 });
  };
}
