// Zipkin clients and servers share one span id for both ends of a call. Readers expect each span to have an id of its
// own, so the server's end gets a new one, becomes a child of the client's, and takes over the children of the shared id.
import { SpanIdTable } from "./span_id_table.ts";
import { kindClient, kindServer, type TraceIndex } from "./trace_index.ts";
import { u32be } from "./wire.ts";

/** What to change, by span of the index. Fresh ids count from 1, so their upper half is 0; 0 = no change. */
export interface SharedSpanIds {
  /** The span's new id. Its parent becomes the id that it had. */
  id: Uint32Array;
  /** The new id of the span's parent. */
  parent: Uint32Array;
}

const client = 1;
const server = 2;

/**
 * @param order the spans in the order of the answer: fresh ids are given out in this order
 * @returns null if no server span shares its id with a client span
 */
export function findSharedSpanIds(index: TraceIndex, order: Uint32Array): SharedSpanIds | null {
  if (index.servers === 0 || index.clients === 0) return null;
  const kinds = new SpanIdTable(order.length);
  let shared = false;
  for (const span of order) {
    if (index.idAt[span] === 0) continue;
    const slot = kinds.slotOf(index.idHi[span]!, index.idLo[span]!, 0);
    const kind = index.kind[span];
    const ends = kinds.value(slot) | (kind === kindClient ? client : kind === kindServer ? server : 0);
    kinds.setValue(slot, ends);
    shared ||= ends === (client | server);
  }
  if (!shared) return null;

  const id = new Uint32Array(index.spans);
  const parent = new Uint32Array(index.spans);
  const fresh = new SpanIdTable();
  let last = 0;
  for (const span of order) {
    if (index.kind[span] !== kindServer || index.idAt[span] === 0) continue;
    const hi = index.idHi[span]!;
    const lo = index.idLo[span]!;
    if (kinds.value(kinds.find(hi, lo, 0)) !== (client | server)) continue;
    do last++;
    while (kinds.find(0, last, 0) >= 0);
    id[span] = last;
    fresh.setValue(fresh.slotOf(hi, lo, 0), last);
  }
  for (const span of order) {
    if (id[span] !== 0 || index.parentAt[span] === 0) continue;
    const bytes = index.sources[index.source[span]!]!;
    const at = index.parentAt[span]!;
    const slot = fresh.find(u32be(bytes, at), u32be(bytes, at + 4), 0);
    if (slot >= 0) parent[span] = fresh.value(slot);
  }
  return { id, parent };
}
