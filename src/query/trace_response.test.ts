import { expect, test } from "bun:test";
import { peerJson, sourceOf } from "./otlp_peer.ts";
import { traceByIdResponse } from "./trace_response.ts";

test("traceByIdResponse() has a trace and metrics even when nothing was found", () => {
  const none = traceByIdResponse({ trace: new Uint8Array(0), inspectedBytes: 0, partialMessage: null });
  expect([...none]).toEqual([0x0a, 0, 0x12, 0]);
});

test("traceByIdResponse() wraps the trace, what was read and what was cut", () => {
  const trace = sourceOf({
    a: Array.from({ length: 20 }, (_, i) => ({ id: i.toString(16).padStart(16, "f") })),
  });
  const response = traceByIdResponse({ trace, inspectedBytes: 2 ** 40 + 1, partialMessage: "cut" });
  expect(peerJson(response, "TraceByIDResponse")).toEqual({
    trace: peerJson(trace),
    metrics: { inspectedBytes: "1099511627777" },
    status: "PARTIAL",
    message: "cut",
  });
});
