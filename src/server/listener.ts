// One TCP port for every protocol: HTTP/1.1 and HTTP/2 with prior knowledge (h2c), told apart by a connection's first
// bytes. A gRPC client begins with "PRI * HTTP/2.0", which is no request of HTTP/1.1.
//
// Bun.serve() has no HTTP/2 without TLS and no trailers, so the connection is handed to a server of node:http or
// node:http2 with its first bytes put back. Neither runtime enforces the timeouts of such a server: Connections does.
import type { EventEmitter } from "node:events";
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import http2, { type Http2ServerRequest, type Http2ServerResponse, type Http2Session } from "node:http2";
import net, { type Socket } from "node:net";
import { log } from "../telemetry/log.ts";
import { Connections, type ConnectionTimes } from "./connections.ts";

export type AnyRequest = IncomingMessage | Http2ServerRequest;
export type AnyResponse = ServerResponse | Http2ServerResponse;
export type Handler = (request: AnyRequest, response: AnyResponse) => void;

/** What every HTTP/2 client sends first, as far as it takes to know it. */
const http2Preface = "PRI ";

/** Connections waiting to be accepted, for the kernel. */
const backlogMax = 511;
/** Bytes of a request's line and headers. */
const headerBytesMax = 64 << 10;
/** Headers of an HTTP/2 request, pseudo headers included. */
const headerPairsMax = 256;
/**
 * Flow control: what a client may send before it is told to go on. With less a client on the same machine waits more
 * than it sends (measured: half the spans per second with 64 KiB). Bytes are read as they come, so these bound what one
 * connection can have in flight and not what is held.
 */
const streamWindowBytes = 4 << 20;
const connectionWindowBytes = 8 << 20;
/** A peer that is gone without a word is noticed after this and some retries by the kernel. */
const keepAliveMs = 60_000;

export interface ListenerOptions {
  /** Empty for every interface, of both families. */
  host: string;
  /** 0 for any free port. */
  port: number;
  handler: Handler;
  times: ConnectionTimes;
  connectionsMax: number;
  /** Requests at a time on one HTTP/2 connection. */
  streamsMax: number;
}

export class Listener {
  readonly #tcp: net.Server;
  readonly #http1: http.Server;
  readonly #http2: http2.Http2Server;
  readonly #connections: Connections;
  readonly #options: ListenerOptions;
  #newSession: Http2Session | null = null;

  private constructor(options: ListenerOptions) {
    this.#options = options;
    this.#connections = new Connections(options.times, options.connectionsMax);
    this.#http1 = this.#createHttp1();
    this.#http2 = this.#createHttp2();
    this.#tcp = net.createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs });
    this.#tcp.on("connection", (socket: Socket) => this.#accept(socket));
  }

  /** @throws (as rejection) Error naming the address if it can't be listened on */
  static async start(options: ListenerOptions): Promise<Listener> {
    const listener = new Listener(options);
    const { host, port } = options;
    await new Promise<void>((resolve, reject) => {
      listener.#tcp.once("error", (cause) => {
        reject(new Error(`listener: can't listen on ${host}:${port}: ${cause.message}`, { cause }));
      });
      listener.#tcp.listen({ port, backlog: backlogMax, ...(host === "" ? {} : { host }) }, resolve);
    });
    listener.#tcp.on("error", (error) => log.error("listener failed", { error, address: `${host}:${port}` }));
    return listener;
  }

  get host(): string {
    return this.#options.host;
  }

  /** The port listened on, also if any free one was asked for. */
  get port(): number {
    const address = this.#tcp.address();
    return typeof address === "object" && address !== null ? address.port : this.#options.port;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Accepts nothing more, lets requests that run end for so long, and closes every connection. */
  async stop(msMax: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
    await this.#connections.drain(msMax);
    await closed;
  }

  #createHttp1(): http.Server {
    const serve: RequestListener = (request, response) => {
      const end = this.#connections.request(request.socket);
      response.once("close", () => end(false));
      ignoreErrors(request, response);
      if (this.#connections.draining) response.setHeader("Connection", "close");
      this.#options.handler(request, response);
    };
    const server = http.createServer(
      { maxHeaderSize: headerBytesMax, keepAliveTimeout: this.#options.times.idleMsMax }, // which clients are told
      serve,
    );
    server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
      const status =
        error.code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : "400 Bad Request";
      if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      else socket.destroy();
    });
    // Deno ends a connection behind its first answer when the server doesn't listen, which this one does not itself.
    Object.defineProperty(server, "listening", { value: true });
    return server;
  }

  #createHttp2(): http2.Http2Server {
    const server = http2.createServer({
      maxHeaderListPairs: headerPairsMax,
      settings: {
        initialWindowSize: streamWindowBytes,
        maxConcurrentStreams: this.#options.streamsMax,
        maxHeaderListSize: headerBytesMax,
        enablePush: false,
      },
    });
    server.on("session", (session) => {
      session.setLocalWindowSize(connectionWindowBytes);
      session.on("error", (error) => log.debug("http2 session failed", { error }));
      this.#newSession = session;
    });
    server.on("request", (request, response) => {
      const end = this.#connections.request(request.stream.session);
      request.stream.once("close", () => end(request.aborted && !response.headersSent));
      ignoreErrors(request, response, request.stream);
      this.#options.handler(request, response);
    });
    server.on("sessionError", (error) => log.debug("http2 session failed", { error }));
    return server;
  }

  #accept(socket: Socket): void {
    if (!this.#connections.add(socket)) return;
    socket.on("error", () => socket.destroy());
    let head: Buffer | null = null;
    const onData = (chunk: Buffer) => {
      head = head === null ? chunk : Buffer.concat([head, chunk]);
      const begin = head.toString("latin1", 0, http2Preface.length);
      if (head.length < http2Preface.length && http2Preface.startsWith(begin)) return;
      socket.off("data", onData);
      socket.pause();
      socket.unshift(head);
      head = null; // the connection's other listeners would keep it for its whole life
      if (begin === http2Preface) {
        this.#http2.emit("connection", socket);
        const session = this.#newSession;
        this.#newSession = null;
        if (session === null) socket.destroy();
        else this.#connections.http2(socket, session);
      } else {
        this.#connections.http1(socket);
        this.#http1.emit("connection", socket);
      }
      socket.resume();
    };
    socket.on("data", onData);
  }
}

/** What fails is a connection or its client, of which "close" and "aborted" tell; an "error" no one listens to would end the process. */
function ignoreErrors(...emitters: EventEmitter[]): void {
  for (const emitter of emitters) emitter.on("error", () => {});
}
