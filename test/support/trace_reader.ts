// Asks a server for traces by id, many at a time, and lists the span ids of the answers.
import type { Rubato } from "./rubato.ts";

/** Span ids in hex of a Trace message (resource spans in field 1), in order, repeats included. */
export function spanIds(trace: Uint8Array): string[] {
  const ids: string[] = [];
  for (const resource of submessages(trace, 1)) {
    for (const scope of submessages(resource, 2)) {
      for (const span of submessages(scope, 2)) {
        for (const id of submessages(span, 2)) ids.push(Buffer.from(id).toString("hex"));
      }
    }
  }
  return ids;
}

function* submessages(bytes: Uint8Array, wanted: number): Generator<Uint8Array> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < bytes.length; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new Error("trace answer ends inside a varint");
  };
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag & 7;
    if (wire === 0) varint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else {
      const length = varint();
      if (wire !== 2 || at + length > bytes.length) throw new Error(`trace answer is malformed at ${at}`);
      if (tag >> 3 === wanted) yield bytes.subarray(at, at + length);
      at += length;
    }
  }
}

/** Span ids of one trace as the server has it now; none when it is not found. */
export async function fetchSpanIds(rubato: Rubato, traceId: string): Promise<string[]> {
  const answer = await fetch(`http://127.0.0.1:${rubato.ports.http}/api/traces/${traceId}`, {
    headers: { Accept: "application/protobuf" },
  });
  const body = new Uint8Array(await answer.arrayBuffer());
  if (answer.status === 404) return [];
  if (answer.status !== 200)
    throw new Error(`trace ${traceId}: status ${answer.status} ${Buffer.from(body)}`);
  return spanIds(body);
}

export interface TraceCheck {
  whole: number;
  missing: string[]; // not found at all
  partial: string[]; // found with fewer spans than were sent
  repeated: string[]; // found with a span more than once
}

const lookupsAtOnce = 16;

/** Looks every trace up and counts what is wrong with them. */
export async function checkTraces(
  rubato: Rubato,
  traceIds: Iterable<string>,
  spansExpected: number,
): Promise<TraceCheck> {
  const check: TraceCheck = { whole: 0, missing: [], partial: [], repeated: [] };
  const ids = traceIds[Symbol.iterator]();
  const worker = async () => {
    for (let next = ids.next(); !next.done; next = ids.next()) {
      const found = await fetchSpanIds(rubato, next.value);
      const distinct = new Set(found).size;
      if (found.length === 0) check.missing.push(next.value);
      else if (distinct < spansExpected) check.partial.push(next.value);
      else if (found.length > distinct) check.repeated.push(next.value);
      else check.whole++;
    }
  };
  await Promise.all(Array.from({ length: lookupsAtOnce }, worker));
  return check;
}
