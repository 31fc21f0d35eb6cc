// The connections of a listener: how many there may be, how long each may stay silent, and how they end.
import type { Http2Session } from "node:http2";
import type { Socket } from "node:net";
import { log } from "../telemetry/log.ts";

/** How often connections are looked at, and so by how much a time may be overdrawn; more often if a time is short. */
const sweepMsMax = 1000;
const sweepMsMin = 10;
/**
 * Streams that a client may begin and reset within a second of each other on one connection. Each costs the server a
 * request, and the client nothing (CVE-2023-44487).
 */
const resetsPerSweepMax = 500;

export interface ConnectionTimes {
  /** From the connection's begin, or its last answer's end, to the end of a request's headers. */
  headerMsMax: number;
  /** Without a request, on HTTP/1.1 and before an HTTP/2 connection's first. */
  idleMsMax: number;
  /** Without a request on an HTTP/2 connection that has had one. */
  http2IdleMsMax: number;
  /** Without a byte of a waiting answer being taken by the client. */
  writeMsMax: number;
}

/** What a connection waits for. */
type Phase = "protocol" | "headers" | "request" | "answer";

class Connection {
  phase: Phase = "protocol";
  since = performance.now();
  session: Http2Session | null = null;
  hadRequest = false;
  /** Requests without a whole answer yet. */
  requests = 0;
  resets = 0;
  bytesWritten = 0;
  writtenAt = 0;

  constructor(readonly socket: Socket) {}

  wait(phase: Phase): void {
    this.phase = phase;
    this.since = performance.now();
  }
}

export class Connections {
  readonly #all = new Map<Socket, Connection>();
  readonly #sessions = new WeakMap<object, Connection>();
  readonly #times: ConnectionTimes;
  readonly #max: number;
  readonly #sweepMs: number;
  #timer: ReturnType<typeof setInterval> | null = null;
  #drained: (() => void) | null = null;

  constructor(times: ConnectionTimes, max: number) {
    this.#times = times;
    this.#max = max;
    const shortest = Math.min(...Object.values(times)) / 4;
    this.#sweepMs = Math.min(Math.max(shortest, sweepMsMin), sweepMsMax);
  }

  get size(): number {
    return this.#all.size;
  }

  get draining(): boolean {
    return this.#drained !== null;
  }

  /** Takes a new connection; false, and the connection is closed, if there are too many. */
  add(socket: Socket): boolean {
    if (this.#all.size >= this.#max || this.draining) {
      socket.destroy();
      return false;
    }
    this.#all.set(socket, new Connection(socket));
    socket.once("close", () => this.#remove(socket));
    this.#timer ??= setInterval(() => this.#sweep(), this.#sweepMs);
    return true;
  }

  /** The protocol is known to be HTTP/1.1. */
  http1(socket: Socket): void {
    this.#all.get(socket)?.wait("headers");
  }

  /** The protocol is known to be HTTP/2. */
  http2(socket: Socket, session: Http2Session): void {
    const connection = this.#all.get(socket);
    if (connection === undefined) return;
    connection.session = session;
    connection.wait("request");
    this.#sessions.set(session, connection);
  }

  /** A request has begun; the function returned is to be called at its end, however it ends. */
  request(carrier: Socket | Http2Session | undefined): (reset: boolean) => void {
    const connection =
      carrier && (this.#all.get(carrier as Socket) ?? this.#sessions.get(carrier as Http2Session));
    if (connection === undefined) return () => {};
    connection.requests++;
    connection.hadRequest = true;
    connection.wait("answer");
    let ended = false;
    return (reset) => {
      if (ended) return;
      ended = true;
      if (reset) connection.resets++;
      if (--connection.requests > 0) return;
      connection.wait("request");
      if (this.draining) this.#end(connection);
    };
  }

  /**
   * Ends all connections: those that are idle at once, the others when their answers are through, and what is left
   * after that time.
   */
  async drain(msMax: number): Promise<void> {
    if (this.#all.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        for (const { socket } of this.#all.values()) socket.destroy();
        resolve();
      }, msMax);
      this.#drained = () => {
        clearTimeout(timer);
        resolve();
      };
      for (const connection of [...this.#all.values()]) {
        connection.session?.close(); // GOAWAY: no new requests, those that run may end
        if (connection.requests === 0) this.#end(connection);
      }
    });
    this.#stopSweeping();
  }

  #end({ socket, session }: Connection): void {
    if (session !== null) session.close();
    else socket.end(() => socket.destroy());
  }

  #remove(socket: Socket): void {
    this.#all.delete(socket);
    if (this.#all.size > 0) return;
    this.#stopSweeping();
    this.#drained?.();
  }

  #stopSweeping(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #sweep(): void {
    const now = performance.now();
    for (const connection of this.#all.values()) {
      const reason = this.#overdue(connection, now);
      connection.resets = 0;
      if (reason === null) continue;
      log.debug("connection closed", { reason, peer: connection.socket.remoteAddress });
      if (reason === "idle") this.#end(connection);
      else connection.socket.destroy();
    }
  }

  #overdue(connection: Connection, now: number): "idle" | "slow headers" | "slow reader" | "resets" | null {
    const { headerMsMax, idleMsMax, http2IdleMsMax, writeMsMax } = this.#times;
    const { phase, session, socket } = connection;
    const silent = now - connection.since;
    if (connection.resets > resetsPerSweepMax) return "resets";
    if (phase === "protocol" || phase === "headers") return silent > headerMsMax ? "slow headers" : null;
    if (phase === "request") {
      return silent > (session !== null && connection.hadRequest ? http2IdleMsMax : idleMsMax)
        ? "idle"
        : null;
    }
    if (socket.writableLength === 0 || socket.bytesWritten !== connection.bytesWritten) {
      connection.bytesWritten = socket.bytesWritten;
      connection.writtenAt = now;
    }
    return now - connection.writtenAt > writeMsMax ? "slow reader" : null;
  }
}
