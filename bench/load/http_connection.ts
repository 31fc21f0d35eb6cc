// One HTTP/1.1 keep-alive connection that posts OTLP protobuf, one request at a time.
import { connect, type Socket } from "node:net";
import { type Connection, type ConnectionOptions, type Outcome, retryMsDefault } from "./connection.ts";
import type { Request } from "./request.ts";

export function httpHead(authority: string, tenant: string | null, bodyBytes: number): Uint8Array {
  const lines = [
    "POST /v1/traces HTTP/1.1",
    `Host: ${authority}`,
    "Content-Type: application/x-protobuf",
    `Content-Length: ${bodyBytes}`,
  ];
  if (tenant !== null) lines.push(`X-Scope-OrgID: ${tenant}`);
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

export class HttpConnection implements Connection {
  private readonly socket: Socket;
  private request: Request | null = null;
  private received = "";
  private ready = false;
  private closed = false;

  constructor(private readonly options: ConnectionOptions) {
    this.socket = connect(options.port, options.host);
    this.socket.setNoDelay(true);
    this.socket.on("connect", () => {
      this.ready = true;
      options.onReady(this);
    });
    this.socket.on("data", (bytes: Buffer) => {
      this.received += bytes.toString("latin1");
      this.answer();
    });
    this.socket.on("error", (error) => this.lose(error.message));
    this.socket.on("close", () => this.lose("connection closed"));
  }

  get free(): number {
    return this.ready && !this.closed && this.request === null ? 1 : 0;
  }

  send(request: Request): void {
    this.request = request;
    this.socket.write(request.bytes);
  }

  close(): void {
    this.closed = true;
    this.socket.destroy();
  }

  private answer(): void {
    const headEnd = this.received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = this.received.slice(0, headEnd);
    const field = (name: string) => new RegExp(`^${name}: *(.*)$`, "im").exec(head)?.[1]?.trim();
    let end = headEnd + 4;
    let body = "";
    if (field("transfer-encoding") === "chunked") {
      const last = this.received.indexOf("0\r\n\r\n", end);
      if (last < 0) return;
      body = this.received.slice(end, last);
      end = last + 5;
    } else {
      const length = Number(field("content-length") ?? 0);
      if (this.received.length < end + length) return;
      body = this.received.slice(end, end + length);
      end += length;
    }
    this.received = this.received.slice(end);
    const status = Number(head.slice(9, 12));
    const request = this.request;
    if (request === null) return;
    this.request = null;
    this.options.onOutcome(this, request, outcomeOf(status, field("retry-after"), body));
  }

  private lose(message: string): void {
    if (this.closed) return;
    this.closed = true;
    this.socket.destroy();
    const request = this.request;
    this.request = null;
    if (request !== null) this.options.onOutcome(this, request, { kind: "lost", message });
    this.options.onClosed(this, message);
  }
}

function outcomeOf(status: number, retryAfter: string | undefined, body: string): Outcome {
  if (status === 200) return { kind: "acknowledged" };
  const printable = body.replace(/[^\x20-\x7e]+/g, " ").trim();
  const message = `HTTP status ${status}: ${printable.slice(0, 200)}`;
  if (status !== 429 && status !== 503) return { kind: "failed", message };
  const seconds = Number(retryAfter);
  return { kind: "refused", retryMs: seconds > 0 ? seconds * 1000 : retryMsDefault, message };
}
