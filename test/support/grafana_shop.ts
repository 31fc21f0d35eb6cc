// Seven spans of five traces, few enough to count by hand, for what Grafana asks of metrics.
import type { Rubato } from "./rubato.ts";
import { push, requestOf, type SpanOf, spanAt, text } from "./sent_spans.ts";

/** Unix seconds, on every grid of whole minutes. */
export const base = Math.floor(Date.now() / 60_000) * 60 - 600;

export const traces = {
  /** GET /cart, with spans of cart and payment; the charge fails. */
  cart: "00000000000000000000000000000a01",
  /** GET /cart by itself. */
  again: "5a000000000000000000000000000a02",
  /** POST /pay by itself, which fails. */
  pay: "5a000000000000000000000000000a03",
  /** Its root was never sent. */
  rootless: "5a000000000000000000000000000a04",
  /** Of no service. */
  bare: "5a000000000000000000000000000a05",
};

const internal = 1;
const server = 2;
const client = 3;
const consumer = 5;
const method = (name: string) => ({ "http.method": text(name) });
const span = (of: SpanOf) => spanAt(base, of);

const requests = [
  requestOf("frontend", [
    span({
      trace: traces.cart,
      id: 0x11,
      name: "GET /cart",
      kind: server,
      startMs: 1000,
      durationMs: 100,
      attributes: method("GET"),
    }),
    span({
      trace: traces.again,
      id: 0x21,
      name: "GET /cart",
      kind: server,
      startMs: 2000,
      durationMs: 300,
      attributes: method("GET"),
    }),
  ]),
  requestOf("cart", [
    span({
      trace: traces.cart,
      id: 0x12,
      parent: 0x11,
      name: "query",
      kind: client,
      startMs: 1010,
      durationMs: 20,
      attributes: { "db.system.name": text("postgresql") },
    }),
  ]),
  requestOf("payment", [
    span({
      trace: traces.cart,
      id: 0x13,
      parent: 0x11,
      name: "charge",
      kind: server,
      error: true,
      startMs: 1020,
      durationMs: 600,
      attributes: method("POST"),
      exception: 'no "answer" in 3 s',
    }),
    span({
      trace: traces.pay,
      id: 0x31,
      name: "POST /pay",
      kind: server,
      error: true,
      startMs: 12_000,
      durationMs: 800,
      attributes: method("POST"),
      exception: 'no "answer" in 5 s',
    }),
  ]),
  requestOf("orphan", [
    span({ trace: traces.rootless, id: 0x41, parent: 0x40, name: "late", kind: internal, startMs: 13_000 }),
  ]),
  requestOf(null, [
    span({ trace: traces.bare, id: 0x51, name: "bare", kind: consumer, startMs: 14_000, durationMs: 10 }),
  ]),
];

export async function pushShop(server: Rubato, tenant?: string): Promise<void> {
  for (const request of requests) await push(server, request, tenant);
}
