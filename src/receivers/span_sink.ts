// Where the receivers put what they received: the one thing that they know of the rest of the server.

export interface SpanSink {
  /**
   * Takes a request's spans; when the promise resolves they are safe.
   *
   * @param tenant validated tenant id
   * @param request ExportTraceServiceRequest protobuf. The buffer belongs to the receiver, which fills it with another
   *   request once the promise has settled.
   * @throws (as rejection) an error with `code` and, if the client should come back, `retryDelayMs`: see RefusedError
   */
  push(tenant: string, request: Uint8Array): Promise<void>;
}

/** What the receivers look at in an error of SpanSink.push(); an error without a code counts as `unavailable`. */
export interface RefusedError extends Error {
  readonly code: "invalid_argument" | "resource_exhausted" | "unavailable";
  readonly retryDelayMs?: number;
}

export function isRefused(error: unknown): error is RefusedError {
  if (!(error instanceof Error) || !("code" in error)) return false;
  return (
    error.code === "invalid_argument" || error.code === "resource_exhausted" || error.code === "unavailable"
  );
}
