// A trace for language models: grouped by service, attributes as plain objects, ids in hex, nothing that is empty.
import { Buffer } from "node:buffer";
import { ascii, JsonText } from "./json_text.ts";
import { messageDepthMax } from "./message_json.ts";
import { spanKinds, statusCodes } from "./otlp_messages.ts";
import type { TraceAnswer } from "./trace_json.ts";
import { Fields } from "./wire.ts";

const nullText = ascii("null");
const trueText = ascii("true");
const falseText = ascii("false");
const serviceNameKey = "service.name";

/** Answer of `/api/v2/traces/{id}` to `Accept: application/vnd.grafana.llm`. */
export function traceLlmJson(answer: TraceAnswer): Uint8Array {
  const out = new JsonText();
  const traceId = firstTraceId(answer.trace);
  if (traceId === null) {
    out.text("{}");
    return out.bytes();
  }
  out.text('{"trace":{"traceId":');
  out.hex(answer.trace, traceId.start, traceId.end);
  out.text(',"services":[');
  const writer = new LlmWriter(out, answer.trace);
  const fields = new Fields(answer.trace);
  while (fields.next()) if (fields.number === 1) writer.service(fields.start, fields.end);
  out.text(`]},"metrics":{"inspectedBytes":${answer.inspectedBytes}}`);
  if (answer.partialMessage !== null)
    out.text(`,"status":"PARTIAL","message":${JSON.stringify(answer.partialMessage)}`);
  out.text("}");
  return out.bytes();
}

/** A range of the trace's bytes. */
interface Range {
  start: number;
  end: number;
}

const nothing: Range = { start: 0, end: 0 };

function firstTraceId(trace: Uint8Array): Range | null {
  const path = [1, 2, 2, 1];
  const down = (start: number, end: number, level: number): Range | null => {
    if (level === path.length) return { start, end };
    const fields = new Fields(trace, start, end);
    while (fields.next()) {
      const found = fields.number === path[level] ? down(fields.start, fields.end, level + 1) : null;
      if (found !== null) return found;
    }
    return null;
  };
  return down(0, trace.length, 0);
}

class LlmWriter {
  private readonly text: Buffer;

  constructor(
    private readonly out: JsonText,
    private readonly bytes: Uint8Array,
  ) {
    this.text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  service(start: number, end: number): void {
    const out = this.out;
    const attributes = this.attributes(this.singles(start, end)[1] ?? nothing, 1);
    const name = this.stringValue(attributes.get(serviceNameKey));
    if (name !== null) attributes.delete(serviceNameKey);
    out.separate();
    out.text('{"serviceName":');
    out.string(this.bytes, name?.start ?? 0, name?.end ?? 0);
    out.text(',"resource":');
    this.object(attributes, 0);
    out.text(',"scopes":[');
    this.each(start, end, 2, (scope) => this.scope(scope));
    out.text("]}");
  }

  private scope({ start, end }: Range): void {
    const out = this.out;
    const scope = this.singles(start, end)[1] ?? nothing;
    const named = this.singles(scope.start, scope.end);
    out.separate();
    out.text("{");
    this.string("name", named[1]);
    this.string("version", named[2]);
    out.separate();
    out.text('"spans":[');
    this.each(start, end, 2, (span) => this.span(span));
    out.text("]}");
  }

  private span(span: Range): void {
    const { out, bytes } = this;
    const fields = new Fields(bytes, span.start, span.end);
    const times = { startHi: 0, startLo: 0, endHi: 0, endLo: 0 };
    let kind = 0;
    while (fields.next()) {
      if (fields.number === 6) kind = fields.lo | 0;
      else if (fields.number === 7) [times.startHi, times.startLo] = [fields.hi, fields.lo];
      else if (fields.number === 8) [times.endHi, times.endLo] = [fields.hi, fields.lo];
    }
    const single = this.singles(span.start, span.end);
    const nanos = (times.endHi - times.startHi) * 0x100000000 + (times.endLo - times.startLo);
    out.separate();
    out.text("{");
    this.id("spanId", single[2]);
    this.string("name", single[5]);
    this.id("parentSpanId", single[4]);
    out.separate();
    out.text(`"kind":${enumText(spanKinds, kind)},"startTimeUnixNano":`);
    out.u64(times.startHi, times.startLo);
    out.text(',"endTimeUnixNano":');
    out.u64(times.endHi, times.endLo);
    out.text(`,"durationMs":${nanos / 1e6},"attributes":`);
    this.object(this.attributes(span, 9), 0);
    this.list("events", span, 11, (event) => this.event(event));
    this.list("links", span, 13, (link) => this.link(link));
    this.status(single[15] ?? nothing);
    out.text("}");
  }

  private event(event: Range): void {
    const out = this.out;
    const fields = new Fields(this.bytes, event.start, event.end);
    let time: [number, number] = [0, 0];
    while (fields.next()) if (fields.number === 1) time = [fields.hi, fields.lo];
    out.separate();
    out.text("{");
    this.string("name", this.singles(event.start, event.end)[2]);
    out.separate();
    out.text('"timeUnixNano":');
    out.u64(...time);
    out.text(',"attributes":');
    this.object(this.attributes(event, 3), 0);
    out.text("}");
  }

  private link(link: Range): void {
    const out = this.out;
    const single = this.singles(link.start, link.end);
    out.separate();
    out.text("{");
    this.id("traceId", single[1]);
    this.id("spanId", single[2]);
    out.separate();
    out.text('"attributes":');
    this.object(this.attributes(link, 4), 0);
    out.text("}");
  }

  private status(status: Range): void {
    const fields = new Fields(this.bytes, status.start, status.end);
    let code = 0;
    while (fields.next()) if (fields.number === 3) code = fields.lo | 0;
    const message = this.singles(status.start, status.end)[2] ?? nothing;
    this.out.text(`,"status":{"code":${enumText(statusCodes, code)},"message":`);
    this.out.string(this.bytes, message.start, message.end);
    this.out.text("}");
  }

  /** The attributes of a message by key. A later one replaces an earlier one with its key. */
  private attributes(message: Range, number: number): Map<string, Range & { key: Range }> {
    const found = new Map<string, Range & { key: Range }>();
    this.each(message.start, message.end, number, (attribute) => {
      const single = this.singles(attribute.start, attribute.end);
      const key = single[1] ?? nothing;
      found.set(this.text.toString("latin1", key.start, key.end), { ...(single[2] ?? nothing), key });
    });
    return found;
  }

  private object(attributes: Map<string, Range & { key: Range }>, depth: number): void {
    const out = this.out;
    out.text("{");
    for (const value of attributes.values()) {
      out.separate();
      out.string(this.bytes, value.key.start, value.key.end);
      out.text(":");
      this.value(value, depth);
    }
    out.text("}");
  }

  /** Writes an AnyValue as the JSON value that it stands for. */
  private value(value: Range, depth: number): void {
    const { out, bytes } = this;
    const fields = new Fields(bytes, value.start, value.end);
    let set = 0;
    const last = { start: 0, end: 0, lo: 0, hi: 0 };
    while (fields.next()) {
      if (fields.number > 7) continue;
      set = fields.number;
      Object.assign(last, { start: fields.start, end: fields.end, lo: fields.lo, hi: fields.hi });
    }
    if (depth > messageDepthMax) set = 0;
    if (set === 1) out.string(bytes, last.start, last.end);
    else if (set === 2) out.raw(last.lo !== 0 || last.hi !== 0 ? trueText : falseText);
    else if (set === 3) out.i64Digits(last.hi, last.lo);
    else if (set === 4) out.double(last.hi, last.lo);
    else if (set === 5) {
      out.text("[");
      this.each(last.start, last.end, 1, (element) => {
        out.separate();
        this.value(element, depth + 1);
      });
      out.text("]");
    } else if (set === 6) this.object(this.attributes(last, 1), depth + 1);
    else if (set === 7) out.hex(bytes, last.start, last.end);
    else out.raw(nullText);
  }

  private stringValue(value: Range | undefined): Range | null {
    const fields = new Fields(this.bytes, value?.start ?? 0, value?.end ?? 0);
    let last: Range | null = null;
    while (fields.next()) last = fields.number === 1 ? { start: fields.start, end: fields.end } : null;
    return last;
  }

  private string(name: string, value: Range | undefined): void {
    if (this.named(name, value)) this.out.string(this.bytes, value!.start, value!.end);
  }

  private id(name: string, value: Range | undefined): void {
    if (this.named(name, value)) this.out.hex(this.bytes, value!.start, value!.end);
  }

  private named(name: string, value: Range | undefined): boolean {
    if (value === undefined || value.start === value.end) return false;
    this.out.separate();
    this.out.text(`"${name}":`);
    return true;
  }

  private list(name: string, message: Range, number: number, write: (element: Range) => void): void {
    let open = false;
    this.each(message.start, message.end, number, (element) => {
      if (!open) this.out.text(`,"${name}":[`);
      open = true;
      write(element);
    });
    if (open) this.out.text("]");
  }

  private each(start: number, end: number, number: number, use: (element: Range) => void): void {
    const fields = new Fields(this.bytes, start, end);
    while (fields.next()) if (fields.number === number) use({ start: fields.start, end: fields.end });
  }

  /** The last occurrence of each field of a message, by number. */
  private singles(start: number, end: number): (Range | undefined)[] {
    const found: (Range | undefined)[] = [];
    const fields = new Fields(this.bytes, start, end);
    while (fields.next())
      if (fields.number < 16) found[fields.number] = { start: fields.start, end: fields.end };
    return found;
  }
}

function enumText(names: string[], value: number): string {
  const name = names[value];
  return name === undefined ? String(value) : `"${name}"`;
}
