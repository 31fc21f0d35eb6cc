// The traffic that is generated: a web shop of twenty services, ten spans a trace, nine attributes a span and eleven a
// resource, about 450 bytes of OTLP a span. Every fifth distinct value or so is what real instrumentation repeats (methods,
// routes, status codes); URLs are nearly unique, users one in five thousand.
import { ProtoWriter } from "./proto_writer.ts";
import { Random } from "./random.ts";

export const spansPerTrace = 10;

const services =
  "payment cart frontend checkout payment cart frontend checkout gateway recommendation accounting redis postgres auth shipping fraud-detection kafka product-catalog currency ad quote email image-provider load-generator".split(
    " ",
  );
const methods = ["GET", "POST", "PUT", "DELETE"];
const statuses = [200, 200, 200, 200, 200, 200, 201, 301, 400, 404, 429, 500, 503];
const routesPerService = 12;
const users = 5000;
const windowMs = 2000;
const durationNsMean = 40_000_000;
const errorShare = 0.15;

/** Where the values that change with every send lie in a span, and what they depend on. Offsets count from the span's first byte. */
export interface SpanTemplate {
  bytes: Uint8Array;
  trace: number; // index of the trace within the request
  index: number; // index of the span within the trace
  parent: number; // index of the parent within the trace, -1 for the root
  traceIdAt: number;
  spanIdAt: number;
  parentIdAt: number; // 0 for the root
  startAt: number;
  endAt: number;
  eventAt: number; // 0 without an event
  urlDigitsAt: number; // six digits
  startBeforeMs: number; // how long before the send the span starts
  durationNs: number;
}

export interface ResourceTemplate {
  head: Uint8Array; // everything of a ResourceSpans message before its spans, including the outer tags and lengths
  spans: SpanTemplate[];
}

/** Builds the spans of one export request, grouped by service as a collector sends them. */
export function shopRequest(seed: number, traces: number): ResourceTemplate[] {
  const random = new Random(seed);
  const byService = new Map<string, SpanTemplate[]>();
  for (let trace = 0; trace < traces; trace++) {
    const traceBeforeMs = random.below(windowMs);
    for (let index = 0; index < spansPerTrace; index++) {
      const service = index === 0 ? random.pick(["frontend", "gateway"]) : random.pick(services);
      const span = shopSpan(random, service, trace, index, Math.max(0, traceBeforeMs - index * 3));
      const list = byService.get(service);
      if (list === undefined) byService.set(service, [span]);
      else list.push(span);
    }
  }
  return [...byService].map(([service, spans]) => ({ head: resourceHead(random, service, spans), spans }));
}

function shopSpan(
  random: Random,
  service: string,
  trace: number,
  index: number,
  startBeforeMs: number,
): SpanTemplate {
  const route = `/api/v1/${service}/op${random.below(routesPerService)}`;
  const method = random.pick(methods);
  const failed = random.next() < errorShare;
  const parent = index === 0 ? -1 : random.below(index);
  const body = new ProtoWriter();
  const traceIdAt = body.blank(1, 16);
  const spanIdAt = body.blank(2, 8);
  const parentIdAt = parent < 0 ? 0 : body.blank(4, 8);
  body.text(5, `${method} ${route}`);
  body.number(6, parent < 0 ? 2 : 1 + random.below(5));
  const startAt = body.fixed64(7);
  const endAt = body.fixed64(8);
  stringAttribute(body, 9, "http.method", method);
  const urlHead = `http://${service}.shop.svc:8080${route}?id=`;
  stringAttribute(body, 9, "http.url", `${urlHead}000000`);
  const urlDigitsAt = body.length - 6;
  stringAttribute(body, 9, "http.route", route);
  stringAttribute(body, 9, "http.target", route);
  intAttribute(body, 9, "http.status_code", random.pick(statuses));
  stringAttribute(body, 9, "net.peer.name", `${service}.shop.svc`);
  intAttribute(body, 9, "net.peer.port", 8080);
  stringAttribute(body, 9, "user.id", `user-${random.below(users)}`);
  intAttribute(body, 9, "http.response_content_length", random.below(90_000));
  let eventAt = 0;
  if (failed) {
    const event = new ProtoWriter();
    const timeAt = event.fixed64(1);
    event.text(2, "exception");
    stringAttribute(event, 3, "exception.type", "UpstreamError");
    stringAttribute(event, 3, "exception.message", "connection reset by peer");
    body.raw(11, event.bytes);
    eventAt = body.length - event.length + timeAt;
    body.message(15, (status) => status.text(2, "upstream failed").number(3, 2));
  } else {
    body.message(15, () => {});
  }
  const whole = new ProtoWriter().raw(2, body.bytes); // ScopeSpans.spans
  const shift = whole.length - body.length;
  return {
    bytes: Uint8Array.from(whole.bytes),
    trace,
    index,
    parent,
    traceIdAt: traceIdAt + shift,
    spanIdAt: spanIdAt + shift,
    parentIdAt: parent < 0 ? 0 : parentIdAt + shift,
    startAt: startAt + shift,
    endAt: endAt + shift,
    eventAt: failed ? eventAt + shift : 0,
    urlDigitsAt: urlDigitsAt + shift,
    startBeforeMs,
    durationNs: 3000 + Math.floor(-Math.log(1 - random.next()) * durationNsMean),
  };
}

function resourceHead(random: Random, service: string, spans: SpanTemplate[]): Uint8Array {
  const hex = random.below(0x7fffffff).toString(16).padStart(8, "0");
  const resource = new ProtoWriter().message(1, (inner) => {
    const pairs: [string, string][] = [
      ["service.name", service],
      ["service.namespace", "shop"],
      ["service.version", `1.${random.below(5)}.0`],
      ["k8s.cluster.name", "prod-eu-1"],
      ["k8s.namespace.name", "shop"],
      ["k8s.pod.name", `${service}-6d5f7c9b8-${hex}`],
      ["k8s.container.name", service],
      ["host.name", `ip-10-0-${random.below(250)}.ec2.internal`],
      ["telemetry.sdk.language", "go"],
      ["telemetry.sdk.name", "opentelemetry"],
      ["telemetry.sdk.version", "1.24.0"],
    ];
    for (const [key, value] of pairs) stringAttribute(inner, 1, key, value);
  });
  const scope = new ProtoWriter().message(1, (inner) =>
    inner.text(1, "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp").text(2, "0.49.0"),
  );
  let spanBytes = 0;
  for (const span of spans) spanBytes += span.bytes.length;
  const scopeSpans = new ProtoWriter().varint(2 * 8 + 2).varint(scope.length + spanBytes);
  const head = new ProtoWriter()
    .varint(8 + 2)
    .varint(resource.length + scopeSpans.length + scope.length + spanBytes);
  return Uint8Array.from([...head.bytes, ...resource.bytes, ...scopeSpans.bytes, ...scope.bytes]);
}

function stringAttribute(out: ProtoWriter, field: number, key: string, value: string): void {
  out.message(field, (pair) => pair.text(1, key).message(2, (any) => any.text(1, value)));
}

function intAttribute(out: ProtoWriter, field: number, key: string, value: number): void {
  out.message(field, (pair) => pair.text(1, key).message(2, (any) => any.number(3, value)));
}
