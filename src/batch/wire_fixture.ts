// Small OTLP requests for tests, written field by field in protobuf's wire format.

export function message(...fields: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(fields));
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/** A length-delimited field. */
export function field(number: number, content: Uint8Array): Uint8Array {
  return message(varint(BigInt((number << 3) | 2)), varint(BigInt(content.length)), content);
}

export function text(number: number, value: string): Uint8Array {
  return field(number, new TextEncoder().encode(value));
}

export function varintField(number: number, value: bigint): Uint8Array {
  return message(varint(BigInt(number << 3)), varint(value));
}

export function fixed64(number: number, value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return message(varint(BigInt((number << 3) | 1)), bytes);
}

/** A KeyValue whose AnyValue has this content. */
export function attribute(key: string, value: Uint8Array): Uint8Array {
  return message(text(1, key), field(2, value));
}

/** An id of `length` bytes, big-endian. */
export function id(length: number, value: number): Uint8Array {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(length - 4, value);
  return bytes;
}

export interface SpanFixture {
  trace: Uint8Array;
  id: number;
  parent?: number;
  name?: string;
  kind?: number;
  start?: bigint;
  end?: bigint;
  fields?: Uint8Array[];
}

export function span(s: SpanFixture): Uint8Array {
  return message(
    field(1, s.trace),
    field(2, id(8, s.id)),
    ...(s.parent ? [field(4, id(8, s.parent))] : []),
    ...(s.name ? [text(5, s.name)] : []),
    ...(s.kind ? [varintField(6, BigInt(s.kind))] : []),
    ...(s.start ? [fixed64(7, s.start)] : []),
    ...(s.end ? [fixed64(8, s.end)] : []),
    ...(s.fields ?? []),
  );
}

/** An ExportTraceServiceRequest with one resource (a service) and one scope. */
export function request(spans: Uint8Array[], service = "svc"): Uint8Array {
  const resource = message(field(1, attribute("service.name", text(1, service))));
  return field(1, message(field(1, resource), field(2, message(...spans.map((s) => field(2, s))))));
}
