// For tests: OTLP TracesData to the JSON that Tempo answers, written against the .proto files and nothing of ours.

type Json = Record<string, unknown>;

interface Field {
  number: number;
  wire: number;
  value: bigint;
  bytes: Uint8Array;
}

function* fields(bytes: Uint8Array): Generator<Field> {
  let position = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[position++];
      if (byte === undefined) throw new Error("protobuf: cut short");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
  };
  while (position < bytes.length) {
    const tag = Number(varint());
    const field: Field = { number: tag >>> 3, wire: tag & 7, value: 0n, bytes: new Uint8Array(0) };
    if (field.wire === 0) field.value = varint();
    else if (field.wire === 1 || field.wire === 5) {
      const size = field.wire === 1 ? 8 : 4;
      field.bytes = bytes.subarray(position, position + size);
      position += size;
      for (let i = size; i-- > 0; ) field.value = (field.value << 8n) | BigInt(field.bytes[i]!);
    } else if (field.wire === 2) {
      const length = Number(varint());
      if (length > bytes.length - position) throw new Error("protobuf: cut short");
      field.bytes = bytes.subarray(position, position + length);
      position += length;
    } else throw new Error(`protobuf: wire type ${field.wire}`);
    yield field;
  }
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

/** Go prints every byte that is no UTF-8 as one U+FFFD. */
export function goText(bytes: Uint8Array): string {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    return strict.decode(bytes);
  } catch {
    let text = "";
    for (let i = 0; i < bytes.length; ) {
      let size = 0;
      for (let n = 1; n <= 4 && i + n <= bytes.length && size === 0; n++) {
        try {
          text += strict.decode(bytes.subarray(i, i + n));
          size = n;
        } catch {}
      }
      if (size === 0) text += "\ufffd";
      i += size || 1;
    }
    return text;
  }
}

const push = (json: Json, key: string, value: unknown) => {
  json[key] ??= [];
  (json[key] as unknown[]).push(value);
};

function anyValue(bytes: Uint8Array): Json {
  let json: Json = {};
  for (const { number, value, bytes: content } of fields(bytes)) {
    if (number === 1) json = { stringValue: goText(content) };
    else if (number === 2) json = { boolValue: value !== 0n };
    else if (number === 3) json = { intValue: String(BigInt.asIntN(64, value)) };
    else if (number === 4) json = { doubleValue: new DataView(content.slice().buffer).getFloat64(0, true) };
    else if (number === 5 || number === 6) {
      const list: Json = {};
      for (const element of fields(content)) {
        push(list, "values", number === 5 ? anyValue(element.bytes) : keyValue(element.bytes));
      }
      json = number === 5 ? { arrayValue: list } : { kvlistValue: list };
    } else if (number === 7) json = { bytesValue: base64(content) };
  }
  return json;
}

function keyValue(bytes: Uint8Array): Json {
  const json: Json = {};
  for (const { number, bytes: content } of fields(bytes)) {
    if (number === 1) json.key = goText(content);
    else if (number === 2) json.value = anyValue(content);
  }
  return json;
}

const kinds = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
const codes = ["UNSET", "OK", "ERROR"];
const named = (prefix: string, names: string[], value: bigint) => {
  const name = names[Number(value)];
  return name ? `${prefix}${name}` : Number(BigInt.asIntN(32, value));
};

/** Reads the fields of one message by a table: field number to what it adds to the JSON. */
type Table = Record<number, (json: Json, field: Field) => void>;

function message(bytes: Uint8Array, table: Table): Json {
  const json: Json = {};
  for (const field of fields(bytes)) table[field.number]?.(json, field);
  return json;
}

const text =
  (key: string) =>
  (json: Json, { bytes }: Field) => {
    json[key] = goText(bytes);
  };
const id =
  (key: string) =>
  (json: Json, { bytes }: Field) => {
    if (bytes.length > 0) json[key] = base64(bytes);
  };
const count =
  (key: string) =>
  (json: Json, { value }: Field) => {
    json[key] = Number(value);
  };
const time =
  (key: string) =>
  (json: Json, { value }: Field) => {
    json[key] = String(value);
  };
const nested =
  (key: string, table: Table) =>
  (json: Json, { bytes }: Field) => {
    json[key] = message(bytes, table);
  };
const repeated =
  (key: string, table: Table) =>
  (json: Json, { bytes }: Field) => {
    push(json, key, message(bytes, table));
  };
const attributes = (json: Json, { bytes }: Field) => push(json, "attributes", keyValue(bytes));

const event: Table = {
  1: time("timeUnixNano"),
  2: text("name"),
  3: attributes,
  4: count("droppedAttributesCount"),
};
const link: Table = {
  1: id("traceId"),
  2: id("spanId"),
  3: text("traceState"),
  4: attributes,
  5: count("droppedAttributesCount"),
  6: count("flags"),
};
const status: Table = {
  2: text("message"),
  3: (json, { value }) => {
    json.code = named("STATUS_CODE_", codes, value);
  },
};
const span: Table = {
  1: id("traceId"),
  2: id("spanId"),
  3: text("traceState"),
  4: id("parentSpanId"),
  5: text("name"),
  6: (json, { value }) => {
    json.kind = named("SPAN_KIND_", kinds, value);
  },
  7: time("startTimeUnixNano"),
  8: time("endTimeUnixNano"),
  9: attributes,
  10: count("droppedAttributesCount"),
  11: repeated("events", event),
  12: count("droppedEventsCount"),
  13: repeated("links", link),
  14: count("droppedLinksCount"),
  15: nested("status", status),
};
const scope: Table = {
  1: text("name"),
  2: text("version"),
  3: attributes,
  4: count("droppedAttributesCount"),
};
const scopeSpans: Table = { 1: nested("scope", scope), 2: repeated("spans", span) };
const resource: Table = { 1: attributes, 2: count("droppedAttributesCount") };
const resourceSpans: Table = { 1: nested("resource", resource), 2: repeated("scopeSpans", scopeSpans) };

/** The `trace` object of Tempo's answer. */
export function traceJson(tracesData: Uint8Array): Json {
  return message(tracesData, { 1: repeated("resourceSpans", resourceSpans) });
}

interface SpanJson {
  spanId: string;
  parentSpanId?: string;
  kind?: unknown;
}

/**
 * Does to a trace what Tempo's answers have had done: a SERVER span with the id of a CLIENT span gets the smallest free id, the
 * shared one as its parent, and the children.
 */
export function repairSharedIds(trace: Json): Json {
  const spans = ((trace.resourceSpans ?? []) as { scopeSpans?: { spans?: SpanJson[] }[] }[])
    .flatMap(({ scopeSpans = [] }) => scopeSpans)
    .flatMap(({ spans = [] }) => spans);
  const used = new Set(spans.map(({ spanId }) => spanId));
  const clients = new Set(
    spans.filter(({ kind }) => kind === "SPAN_KIND_CLIENT").map(({ spanId }) => spanId),
  );
  const moved = new Map<string, string>();
  let next = 0n;
  for (const server of spans) {
    if (server.kind !== "SPAN_KIND_SERVER" || !clients.has(server.spanId)) continue;
    let fresh: string;
    do {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64BE(++next);
      fresh = base64(bytes);
    } while (used.has(fresh));
    used.add(fresh);
    moved.set(server.spanId, fresh);
    server.parentSpanId = server.spanId;
    server.spanId = fresh;
  }
  const fresh = new Set(moved.values());
  for (const child of spans) {
    const parent = child.parentSpanId === undefined ? undefined : moved.get(child.parentSpanId);
    if (parent !== undefined && !fresh.has(child.spanId)) child.parentSpanId = parent;
  }
  return trace;
}
