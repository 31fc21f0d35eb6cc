// One HTTP/2 connection that sends OTLP export calls, with frames made by hand: a request leaves as it lies in its template,
// so that sending costs one write and no copy.
import { connect, type Socket } from "node:net";
import { type Connection, type ConnectionOptions, type Outcome, retryMsDefault } from "./connection.ts";
import { HeaderReader, writeHeaders } from "./hpack.ts";
import type { Request } from "./request.ts";

const frameHeaderBytes = 9;
const receiveWindow = 1 << 30;
const retryableCodes = new Set(["8", "14"]); // RESOURCE_EXHAUSTED, UNAVAILABLE
const Frame = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8 } as const;

/** The HEADERS frame that every request begins with; the stream id is patched in. */
export function grpcHead(authority: string, tenant: string | null): Uint8Array {
  const headers: [string, string][] = [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", "/opentelemetry.proto.collector.trace.v1.TraceService/Export"],
    [":authority", authority],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
    ["user-agent", "rubato-load-generator"],
  ];
  if (tenant !== null) headers.push(["x-scope-orgid", tenant]);
  const block = writeHeaders(headers);
  const out = new Uint8Array(frameHeaderBytes + block.length);
  out.set([block.length >>> 16, block.length >>> 8, block.length, Frame.headers, 4]); // END_HEADERS
  out.set(block, frameHeaderBytes);
  return out;
}

interface Stream {
  id: number;
  request: Request;
  sentBytes: number;
  nextFrame: number;
  window: number;
  headers: Map<string, string>;
}

export class GrpcConnection implements Connection {
  private readonly socket: Socket;
  private readonly streams = new Map<number, Stream>();
  private readonly headerReader = new HeaderReader();
  private readonly unsent: Stream[] = [];
  private nextId = 1;
  private window = 65535;
  private streamWindow = 65535;
  private received: Uint8Array = new Uint8Array(0);
  private receivedData = 0;
  private ready = false;
  private closed = false;

  constructor(private readonly options: ConnectionOptions) {
    this.socket = connect(options.port, options.host);
    this.socket.setNoDelay(true);
    this.socket.on("connect", () => {
      this.socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
      // No push, a wide receive window: answers are small, but there are many.
      this.socket.write(frame(Frame.settings, 0, 0, [0, 2, 0, 0, 0, 0, 0, 4, 0x40, 0, 0, 0]));
      this.socket.write(frame(Frame.windowUpdate, 0, 0, u32(receiveWindow)));
    });
    this.socket.on("data", (bytes: Uint8Array) => this.receive(bytes));
    this.socket.on("error", (error) => this.lose(error.message));
    this.socket.on("close", () => this.lose("connection closed"));
  }

  get free(): number {
    return this.ready && !this.closed ? this.options.inFlight - this.streams.size : 0;
  }

  send(request: Request): void {
    const id = this.nextId;
    this.nextId += 2;
    const { bytes, frames } = request;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    view.setUint32(5, id);
    for (const at of frames) view.setUint32(at + 5, id);
    const stream: Stream = {
      id,
      request,
      sentBytes: 0,
      nextFrame: 0,
      window: this.streamWindow,
      headers: new Map(),
    };
    this.streams.set(id, stream);
    this.unsent.push(stream);
    this.pump();
  }

  close(): void {
    this.closed = true;
    this.socket.destroy();
  }

  // Writes as much of the waiting requests as the flow-control windows allow, each in one piece.
  private pump(): void {
    for (let i = 0; i < this.unsent.length; ) {
      const stream = this.unsent[i]!;
      const { bytes, frames } = stream.request;
      let end = stream.nextFrame === 0 ? frames[0]! : stream.sentBytes;
      while (stream.nextFrame < frames.length) {
        const frameEnd = frames[stream.nextFrame + 1] ?? bytes.length;
        const payload = frameEnd - frames[stream.nextFrame]! - frameHeaderBytes;
        if (payload > this.window || payload > stream.window) break;
        this.window -= payload;
        stream.window -= payload;
        stream.nextFrame++;
        end = frameEnd;
      }
      if (end > stream.sentBytes) this.socket.write(bytes.subarray(stream.sentBytes, end));
      stream.sentBytes = end;
      if (end === bytes.length) this.unsent.splice(i, 1);
      else if (this.window < 16384) return;
      else i++;
    }
  }

  private receive(chunk: Uint8Array): void {
    let bytes = chunk;
    if (this.received.length > 0) bytes = Buffer.concat([this.received, chunk]);
    let at = 0;
    while (at + frameHeaderBytes <= bytes.length) {
      const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
      const end = at + frameHeaderBytes + length;
      if (end > bytes.length) break;
      const id = readU32(bytes, at + 5) & 0x7fffffff;
      this.frame(bytes[at + 3]!, bytes[at + 4]!, id, bytes.subarray(at + frameHeaderBytes, end));
      at = end;
    }
    this.received = bytes.slice(at);
  }

  private frame(type: number, flags: number, id: number, payload: Uint8Array): void {
    const stream = this.streams.get(id);
    switch (type) {
      case Frame.data:
        this.receivedData += payload.length;
        if (this.receivedData > receiveWindow / 2) {
          this.socket.write(frame(Frame.windowUpdate, 0, 0, u32(this.receivedData)));
          this.receivedData = 0;
        }
        break;
      case Frame.headers: {
        if ((flags & 4) === 0) throw new Error("grpc answer with continued headers");
        const padded = (flags & 8) !== 0 ? payload.subarray(1, payload.length - payload[0]!) : payload;
        const block = (flags & 32) !== 0 ? padded.subarray(5) : padded;
        const headers = this.headerReader.read(block);
        if (stream !== undefined) for (const [k, v] of headers) stream.headers.set(k, v);
        break;
      }
      case Frame.reset:
        if (stream !== undefined) {
          const outcome: Outcome = stream.headers.has("grpc-status")
            ? grpcOutcome(stream.headers)
            : {
                kind: "refused",
                retryMs: retryMsDefault,
                message: `stream reset, code ${readU32(payload, 0)}`,
              };
          this.finish(stream, outcome);
        }
        return;
      case Frame.settings:
        if ((flags & 1) === 0) this.settings(payload);
        return;
      case Frame.ping:
        if ((flags & 1) === 0) this.socket.write(frame(Frame.ping, 1, 0, payload));
        return;
      case Frame.goAway:
        this.lose(`server is going away, code ${readU32(payload, 4)}`);
        return;
      case Frame.windowUpdate:
        if (id === 0) this.window += readU32(payload, 0);
        else if (stream !== undefined) stream.window += readU32(payload, 0);
        this.pump();
        return;
      default:
        return;
    }
    if ((flags & 1) !== 0 && stream !== undefined) this.finish(stream, grpcOutcome(stream.headers));
  }

  private settings(payload: Uint8Array): void {
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      if (payload[at] !== 0 || payload[at + 1] !== 4) continue; // INITIAL_WINDOW_SIZE
      const size = readU32(payload, at + 2);
      for (const stream of this.streams.values()) stream.window += size - this.streamWindow;
      this.streamWindow = size;
    }
    this.socket.write(frame(Frame.settings, 1, 0, []));
    const first = !this.ready;
    this.ready = true;
    if (first) this.options.onReady(this);
    this.pump();
  }

  private finish(stream: Stream, outcome: Outcome): void {
    this.streams.delete(stream.id);
    const waiting = this.unsent.indexOf(stream);
    if (waiting >= 0) {
      this.unsent.splice(waiting, 1);
      this.socket.write(frame(Frame.reset, 0, stream.id, u32(8))); // CANCEL: the answer came before the whole request left
    }
    this.options.onOutcome(this, stream.request, outcome);
  }

  private lose(message: string): void {
    if (this.closed) return;
    this.closed = true;
    this.socket.destroy();
    for (const stream of this.streams.values()) {
      this.options.onOutcome(this, stream.request, { kind: "lost", message });
    }
    this.streams.clear();
    this.options.onClosed(this, message);
  }
}

function grpcOutcome(headers: Map<string, string>): Outcome {
  const code = headers.get("grpc-status");
  if (code === "0") return { kind: "acknowledged" };
  const text = decodeURIComponent(headers.get("grpc-message") ?? "");
  if (code === undefined) return { kind: "failed", message: `HTTP status ${headers.get(":status")}` };
  const message = `grpc status ${code}: ${text}`;
  if (!retryableCodes.has(code)) return { kind: "failed", message };
  const details = headers.get("grpc-status-details-bin");
  return { kind: "refused", retryMs: retryDelayMs(details) ?? retryMsDefault, message };
}

/** The delay of a google.rpc.RetryInfo in a google.rpc.Status, found by its type URL; null when there is none. */
export function retryDelayMs(details: string | undefined): number | null {
  if (details === undefined) return null;
  const status = Buffer.from(details, "base64");
  const name = "google.rpc.RetryInfo";
  const nameAt = status.indexOf(name);
  if (nameAt < 0) return null;
  // After the type URL: 0x12 length (Any.value), 0x0a length (RetryInfo.retry_delay), then Duration {1: seconds, 2: nanos}.
  let at = nameAt + name.length;
  if (status[at] !== 0x12 || status[at + 2] !== 0x0a) return null;
  const end = at + 4 + status[at + 3]!;
  at += 4;
  let ms = 0;
  while (at < end) {
    const field = status[at++]! >> 3;
    let value = 0;
    for (let scale = 1; at < end; scale *= 128) {
      const byte = status[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) break;
    }
    ms += field === 1 ? value * 1000 : value / 1e6;
  }
  return ms;
}

function frame(type: number, flags: number, id: number, payload: ArrayLike<number>): Uint8Array {
  const out = new Uint8Array(frameHeaderBytes + payload.length);
  out.set([payload.length >>> 16, payload.length >>> 8, payload.length, type, flags, ...u32(id)]);
  out.set(payload, frameHeaderBytes);
  return out;
}

function u32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
