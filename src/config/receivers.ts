// distributor.receivers: in the collector's syntax a protocol listens when its key is there, even without a value, and
// a receiver may have a name of its own (otlp/edge).
import type { ReceiversConfig } from "./config.ts";
import { emptyMap, isTreeMap, type Source, type TreeMap } from "./source.ts";
import { grpcMessageMibDefault, httpBodyBytesDefault } from "./table.ts";

const protocols = ["grpc", "http"] as const;
const path = "distributor.receivers";

const unservedTypes = ["jaeger", "zipkin", "kafka", "opencensus"];

/** A receiver of the file that Rubato does not open. */
export interface UnservedReceiver {
  name: string;
  reason: string;
}

/** Which OTLP protocols listen; null where the file names no receiver, and the default holds: both. */
export type Listening = { grpc: boolean; http: boolean } | null;

/**
 * Brings the receivers of a tree into the form of the table: `otlp/name` becomes `otlp`, further instances are taken
 * out, and keys without a value become empty sections.
 */
export function normaliseReceivers({ tree, places }: Source): {
  listening: Listening;
  unserved: UnservedReceiver[];
} {
  const distributor = tree.distributor;
  const receivers = isTreeMap(distributor) ? distributor.receivers : undefined;
  if (!isTreeMap(receivers) || Object.keys(receivers).length === 0) return { listening: null, unserved: [] };
  const unserved: UnservedReceiver[] = [];
  let otlp: TreeMap | undefined;
  for (const name of Object.keys(receivers)) {
    const [type] = name.split("/");
    if (type === "otlp") {
      if (otlp !== undefined) {
        unserved.push({ name, reason: "one OTLP receiver is served, the first" });
        delete receivers[name];
        continue;
      }
      const value = receivers[name] ?? emptyMap();
      delete receivers[name];
      receivers.otlp = value;
      for (const [key, place] of [...places]) {
        if (key === `${path}.${name}` || key.startsWith(`${path}.${name}.`)) {
          places.set(`${path}.otlp${key.slice(path.length + 1 + name.length)}`, place);
        }
      }
      otlp = isTreeMap(value) ? value : emptyMap();
    } else if (unservedTypes.includes(type!)) {
      unserved.push({ name, reason: "this receiver is not served by Rubato" });
      delete receivers[name];
    }
  }
  if (otlp === undefined) return { listening: { grpc: false, http: false }, unserved };
  if (otlp.protocols === undefined || otlp.protocols === null) {
    return { listening: { grpc: true, http: true }, unserved };
  }
  const named = otlp.protocols;
  const listening = { grpc: false, http: false };
  for (const protocol of protocols) {
    if (!isTreeMap(named) || !(protocol in named)) continue;
    named[protocol] ??= emptyMap();
    listening[protocol] = true;
  }
  return { listening, unserved };
}

/** Turns off what does not listen, and replaces zeros by the defaults that they stand for. */
export function settleReceivers(receivers: ReceiversConfig, listening: Listening): void {
  const { protocols } = receivers.otlp;
  if (listening !== null) {
    if (!listening.grpc) protocols.grpc = null;
    if (!listening.http) protocols.http = null;
  }
  if (protocols.grpc) protocols.grpc.max_recv_msg_size_mib ||= grpcMessageMibDefault;
  if (protocols.http) protocols.http.max_request_body_size ||= httpBodyBytesDefault;
}
