// One export request, encoded once and sent many times: ids, times and URLs are patched in place, everything else is as it was.
import { mix32, traceIdWords } from "./ids.ts";
import { type SpanTemplate, shopRequest, spansPerTrace } from "./shop.ts";

/** HTTP/2 frames are never longer: the protocol's default, and what grpc-go sends. */
export const framePayloadBytesMax = 16384;

const fieldsPerSpan = 12;
const digits = Uint8Array.from(
  Array.from({ length: 1000 }, (_, n) => [...String(n).padStart(3, "0")].map((c) => c.charCodeAt(0))).flat(),
);

export class Request {
  readonly bytes: Uint8Array;
  readonly messageBytes: number;
  readonly traces: number;
  readonly spans: number;
  readonly frames: number[] = []; // offsets of the DATA frames' headers
  firstTrace = 0; // counter of the first trace, set by stamp()
  startMs = 0; // when it should have left: latency counts from here, whatever was refused in between
  dueMs = 0; // when a refused request is to be sent again
  private readonly view: DataView;
  private readonly fields: Int32Array;
  private readonly words: Uint32Array;

  constructor(
    readonly seed: number,
    template: number,
    traces: number,
    headFor: (messageBytes: number) => Uint8Array,
    framed: boolean,
  ) {
    const resources = shopRequest(mix32(seed ^ Math.imul(template + 1, 0x51ed27)), traces);
    this.traces = traces;
    this.spans = traces * spansPerTrace;
    this.words = new Uint32Array(traces * 4);
    this.fields = new Int32Array(this.spans * fieldsPerSpan);
    const chunks: { bytes: Uint8Array; span: SpanTemplate | null }[] = [];
    for (const { head, spans } of resources) {
      chunks.push({ bytes: head, span: null });
      for (const span of spans) chunks.push({ bytes: span.bytes, span });
    }
    this.messageBytes = chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
    const head = headFor(this.messageBytes);
    this.bytes = this.lay(head, chunks, framed);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
  }

  // Frames end at the end of a span, so that no patched value straddles a frame header.
  private lay(
    head: Uint8Array,
    chunks: { bytes: Uint8Array; span: SpanTemplate | null }[],
    framed: boolean,
  ): Uint8Array {
    const room = head.length + this.messageBytes + 5 + 9 * chunks.length;
    const out = new Uint8Array(room);
    out.set(head, 0);
    let at = head.length;
    let frameAt = -1;
    const openFrame = () => {
      frameAt = at;
      this.frames.push(at);
      at += 9;
    };
    const closeFrame = (last: boolean) => {
      const length = at - frameAt - 9;
      out[frameAt] = length >>> 16;
      out[frameAt + 1] = length >>> 8;
      out[frameAt + 2] = length;
      out[frameAt + 3] = 0; // DATA
      out[frameAt + 4] = last ? 1 : 0; // END_STREAM
    };
    if (framed) {
      openFrame();
      new DataView(out.buffer).setUint32(at + 1, this.messageBytes); // gRPC prefix: not compressed, length
      at += 5;
    }
    let span = 0;
    for (const chunk of chunks) {
      if (framed && at - frameAt - 9 + chunk.bytes.length > framePayloadBytesMax) {
        closeFrame(false);
        openFrame();
      }
      out.set(chunk.bytes, at);
      if (chunk.span !== null) this.note(span++, at, chunk.span);
      at += chunk.bytes.length;
    }
    if (framed) closeFrame(true);
    return out.slice(0, at);
  }

  private note(span: number, at: number, s: SpanTemplate): void {
    this.fields.set(
      [
        at + s.traceIdAt,
        at + s.spanIdAt,
        s.parentIdAt === 0 ? 0 : at + s.parentIdAt,
        at + s.startAt,
        at + s.endAt,
        s.eventAt === 0 ? 0 : at + s.eventAt,
        at + s.urlDigitsAt,
        s.trace,
        s.index,
        s.parent,
        s.startBeforeMs,
        s.durationNs,
      ],
      span * fieldsPerSpan,
    );
  }

  /** Gives every span the ids of traces firstTrace, firstTrace + 1, … and times that end at about nowMs. */
  stamp(firstTrace: number, nowMs: number): void {
    this.firstTrace = firstTrace;
    const { view, fields, words, bytes, seed } = this;
    for (let i = 0; i < this.traces; i++) traceIdWords(words, i * 4, seed, firstTrace + i);
    const baseNs = BigInt(nowMs - 4000) * 1_000_000n;
    const baseLow = Number(baseNs & 0xffffffffn);
    const baseHigh = Number(baseNs >> 32n);
    for (let f = 0; f < fields.length; f += fieldsPerSpan) {
      const traceIdAt = fields[f]!;
      const spanIdAt = fields[f + 1]!;
      const parentIdAt = fields[f + 2]!;
      const startAt = fields[f + 3]!;
      const endAt = fields[f + 4]!;
      const eventAt = fields[f + 5]!;
      const urlAt = fields[f + 6]!;
      const w = fields[f + 7]! * 4;
      const index = fields[f + 8]!;
      const key = words[w + 3]!;
      view.setUint32(traceIdAt, words[w]!, true);
      view.setUint32(traceIdAt + 4, words[w + 1]!, true);
      view.setUint32(traceIdAt + 8, words[w + 2]!, true);
      view.setUint32(traceIdAt + 12, key, true);
      const low = mix32(key + index + 1);
      view.setUint32(spanIdAt, low, true);
      view.setUint32(spanIdAt + 4, mix32(low), true);
      if (parentIdAt !== 0) {
        const parentLow = mix32(key + fields[f + 9]! + 1);
        view.setUint32(parentIdAt, parentLow, true);
        view.setUint32(parentIdAt + 4, mix32(parentLow), true);
      }
      // Offsets stay under 4.29 s, so one carry is all that can happen.
      let startLow = baseLow + (2000 - fields[f + 10]!) * 1_000_000;
      let startHigh = baseHigh;
      if (startLow >= 4294967296) {
        startLow -= 4294967296;
        startHigh++;
      }
      view.setUint32(startAt, startLow, true);
      view.setUint32(startAt + 4, startHigh, true);
      let endLow = startLow + fields[f + 11]! + (low & 0xfffff);
      let endHigh = startHigh;
      if (endLow >= 4294967296) {
        endLow -= 4294967296;
        endHigh++;
      }
      view.setUint32(endAt, endLow, true);
      view.setUint32(endAt + 4, endHigh, true);
      if (eventAt !== 0) {
        view.setUint32(eventAt, endLow, true);
        view.setUint32(eventAt + 4, endHigh, true);
      }
      const thousands = ((low >>> 8) % 900) * 3 + 300;
      const units = ((low >>> 18) % 1000) * 3;
      bytes[urlAt] = digits[thousands]!;
      bytes[urlAt + 1] = digits[thousands + 1]!;
      bytes[urlAt + 2] = digits[thousands + 2]!;
      bytes[urlAt + 3] = digits[units]!;
      bytes[urlAt + 4] = digits[units + 1]!;
      bytes[urlAt + 5] = digits[units + 2]!;
    }
  }

  /** The OTLP message by itself, without frames: what a test or a stage benchmark feeds to a decoder. Only of unframed requests. */
  message(): Uint8Array {
    return this.bytes.subarray(this.bytes.length - this.messageBytes);
  }
}
