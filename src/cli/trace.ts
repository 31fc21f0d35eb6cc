// A trace as the commands hold it. Of each span only what the waterfall draws is read; the rest when it is asked for, so
// that a trace of a hundred thousand spans stays small.
import type { Attribute } from "./attribute.ts";

export interface Trace {
  spans: TraceSpan[];
  resources: TraceResource[];
  /** Why the trace is not whole; null if nothing was said. */
  partial: string | null;
}

export interface TraceSpan {
  /** Hex; empty if it has none. */
  id: string;
  /** Hex; empty for a root. */
  parentId: string;
  name: string;
  /** Index into the resources. */
  resource: number;
  /** Nanoseconds since 1970; 0 if the span doesn't say. */
  start: bigint;
  end: bigint;
  /** Its status is an error. */
  failed: boolean;
  /** @throws what decoding throws where the span's bytes are malformed */
  details(): SpanDetails;
}

export interface TraceResource {
  /** Of `service.name`; empty without one. */
  service: string;
  attributes: Attribute[];
}

export interface SpanDetails {
  kind: SpanKind;
  status: "unset" | "ok" | "error";
  statusMessage: string;
  attributes: Attribute[];
  events: { time: bigint; name: string; attributes: Attribute[] }[];
  links: { traceId: string; spanId: string; attributes: Attribute[] }[];
}

/** In the order of OTLP's numbers. */
export const spanKinds = ["unspecified", "internal", "server", "client", "producer", "consumer"] as const;
export type SpanKind = (typeof spanKinds)[number];

/** In the order of OTLP's numbers. */
export const statuses = ["unset", "ok", "error"] as const;

/** A resource by its attributes. */
export function resourceOf(attributes: Attribute[]): TraceResource {
  const service = attributes.find(({ key }) => key === "service.name")?.value;
  return { service: typeof service === "string" ? service : "", attributes };
}

/** A parent id of nothing but zeros is none. */
export function parentIdOf(hex: string): string {
  return /^0*$/.test(hex) ? "" : hex;
}
