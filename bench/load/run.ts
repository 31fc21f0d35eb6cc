// Drives load at a server: open loop at a given rate, or as fast as the server acknowledges.
import type { Connection, ConnectionOptions, Outcome } from "./connection.ts";
import { GrpcConnection, grpcHead } from "./grpc_connection.ts";
import { HttpConnection, httpHead } from "./http_connection.ts";
import { Ranges } from "./ranges.ts";
import { Request } from "./request.ts";
import { spansPerTrace } from "./shop.ts";

export interface LoadOptions {
  host: string;
  port: number;
  protocol: "grpc" | "http";
  rate: number; // spans a second; 0 = as fast as the server takes them
  seconds: number; // stop sending after; 0 = no limit
  spans: number; // stop after; 0 = no limit
  spansPerRequest: number;
  connections: number;
  inFlight: number; // requests on a connection; HTTP/1.1 always has one
  tenant: string | null;
  seed: number;
  firstTrace: number;
  retry: boolean; // send refused requests again after the delay that the server asks for
}

export const loadDefaults: Omit<LoadOptions, "port"> = {
  host: "127.0.0.1",
  protocol: "grpc",
  rate: 0,
  seconds: 10,
  spans: 0,
  spansPerRequest: 500,
  connections: 4,
  inFlight: 4,
  tenant: null,
  seed: 1,
  firstTrace: 0,
  retry: true,
};

export interface LoadResult {
  sentSpans: number; // counted once, however often a request was tried
  acknowledgedSpans: number;
  acknowledgedBytes: number; // OTLP bytes of the acknowledged spans
  refusedRequests: number; // answers that asked to come again
  failedSpans: number; // given up: the server said that it will never take them
  lostSpans: number; // unanswered when the connection broke
  seconds: number; // from the first send to the last answer
  spansPerSecond: number;
  spansPerSecondLow: number; // the worst whole second
  latencyMsP50: number;
  latencyMsP99: number;
  latencyMsMax: number;
  cpuSeconds: number;
  messages: Record<string, number>; // refusals, failures and losses by text
  acknowledged: Ranges; // counters of traces
}

export const templatesMin = 64;
const drainMsMax = 20_000; // for answers and retries after the last new request

/** Sends load until it is spent, the time is up, or every connection broke. */
export function runLoad(options: LoadOptions, stop?: AbortSignal): Promise<LoadResult> {
  return new Promise((resolve) => new Load(options, resolve, stop));
}

class Load {
  private readonly connections: Connection[] = [];
  private readonly idle: Request[] = [];
  private readonly retries: Request[] = [];
  private readonly latencies: number[] = [];
  private readonly perSecond: number[] = [];
  private readonly messages: Record<string, number> = {};
  private readonly acknowledged = new Ranges();
  private readonly cpuAtStart = process.cpuUsage();
  private readonly traces: number;
  private readonly timer: ReturnType<typeof setInterval>;
  private nextTrace: number;
  private startMs = 0;
  private lastMs = 0;
  private endMs = Number.POSITIVE_INFINITY;
  private sentSpans = 0;
  private acknowledgedBytes = 0;
  private refusedRequests = 0;
  private failedSpans = 0;
  private lostSpans = 0;
  private outstanding = 0; // sent or waiting for a retry
  private stopping = false;
  private finished = false;

  constructor(
    private readonly options: LoadOptions,
    private readonly resolve: (result: LoadResult) => void,
    stop?: AbortSignal,
  ) {
    const { host, port, tenant, protocol } = options;
    this.traces = Math.max(1, Math.round(options.spansPerRequest / spansPerTrace));
    this.nextTrace = options.firstTrace;
    const authority = `${host}:${port}`;
    const inFlight = protocol === "grpc" ? options.inFlight : 1;
    const templates = Math.max(templatesMin, options.connections * inFlight);
    for (let i = 0; i < templates; i++) {
      this.idle.push(
        protocol === "grpc"
          ? new Request(options.seed, i, this.traces, () => grpcHead(authority, tenant), true)
          : new Request(options.seed, i, this.traces, (bytes) => httpHead(authority, tenant, bytes), false),
      );
    }
    const shared: ConnectionOptions = {
      host,
      port,
      tenant,
      inFlight,
      onReady: () => this.pump(),
      onOutcome: (_, request, outcome) => this.outcome(request, outcome),
      onClosed: (connection, message) => this.closed(connection, message),
    };
    for (let i = 0; i < options.connections; i++) {
      this.connections.push(protocol === "grpc" ? new GrpcConnection(shared) : new HttpConnection(shared));
    }
    this.timer = setInterval(() => this.pump(), options.rate > 0 ? 1 : 20);
    stop?.addEventListener("abort", () => {
      this.stopping = true;
      this.pump();
    });
  }

  private pump(): void {
    if (this.finished) return;
    const { options } = this;
    const now = performance.now();
    if (now > this.endMs + drainMsMax) {
      this.finish();
      return;
    }
    for (;;) {
      const connection = this.connections.find((c) => c.free > 0);
      if (connection === undefined) break;
      if (this.startMs === 0) {
        this.startMs = now;
        if (options.seconds > 0) this.endMs = now + options.seconds * 1000;
      }
      const retryAt = this.retries.findIndex((r) => r.dueMs <= now);
      if (retryAt >= 0) {
        const request = this.retries.splice(retryAt, 1)[0]!;
        connection.send(request);
        continue;
      }
      if (!this.mayStart(now)) break;
      const request = this.idle.shift();
      if (request === undefined) break;
      request.stamp(this.nextTrace, Date.now());
      request.startMs = options.rate > 0 ? this.dueMs() : now;
      this.nextTrace += this.traces;
      this.sentSpans += request.spans;
      this.outstanding++;
      connection.send(request);
    }
    if (this.stopping || this.spent(now)) {
      this.stopping = true;
      if (this.endMs > now) this.endMs = now;
      if (this.outstanding === 0) this.finish();
    }
  }

  private dueMs(): number {
    return this.startMs + (this.sentSpans / this.options.rate) * 1000;
  }

  private spent(now: number): boolean {
    if (this.startMs === 0) return false;
    return now >= this.endMs || (this.options.spans > 0 && this.sentSpans >= this.options.spans);
  }

  private mayStart(now: number): boolean {
    if (this.stopping || this.spent(now)) return false;
    return this.options.rate === 0 || this.dueMs() <= now;
  }

  private outcome(request: Request, outcome: Outcome): void {
    if (this.finished) return;
    const now = performance.now();
    this.lastMs = now;
    if (outcome.kind !== "acknowledged") {
      this.messages[outcome.message] = (this.messages[outcome.message] ?? 0) + 1;
    }
    if (outcome.kind === "refused") {
      this.refusedRequests++;
      if (this.options.retry) {
        request.dueMs = now + outcome.retryMs;
        this.retries.push(request);
        return;
      }
      this.failedSpans += request.spans;
    } else if (outcome.kind === "acknowledged") {
      this.acknowledged.add(request.firstTrace, request.traces);
      this.acknowledgedBytes += request.messageBytes;
      this.latencies.push(now - request.startMs);
      const second = Math.floor((now - this.startMs) / 1000);
      this.perSecond[second] = (this.perSecond[second] ?? 0) + request.spans;
    } else if (outcome.kind === "failed") {
      this.failedSpans += request.spans;
    } else {
      this.lostSpans += request.spans;
    }
    this.outstanding--;
    this.idle.push(request);
    this.pump();
  }

  private closed(connection: Connection, message: string): void {
    this.messages[message] = (this.messages[message] ?? 0) + 1;
    this.connections.splice(this.connections.indexOf(connection), 1);
    if (this.connections.length === 0) this.finish();
  }

  private finish(): void {
    if (this.finished) return;
    this.finished = true;
    clearInterval(this.timer);
    for (const request of this.retries) this.failedSpans += request.spans;
    for (const connection of this.connections) connection.close();
    const cpu = process.cpuUsage(this.cpuAtStart);
    const seconds = Math.max(0.001, (this.lastMs - this.startMs) / 1000);
    const sorted = Float64Array.from(this.latencies).sort();
    const quantile = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
    const acknowledgedSpans = this.acknowledged.count() * spansPerTrace;
    const wholeSeconds = Array.from(
      { length: Math.floor(Math.min(seconds, this.options.seconds || seconds)) },
      (_, i) => this.perSecond[i] ?? 0,
    );
    this.resolve({
      sentSpans: this.sentSpans,
      acknowledgedSpans,
      acknowledgedBytes: this.acknowledgedBytes,
      refusedRequests: this.refusedRequests,
      failedSpans: this.failedSpans,
      lostSpans: this.lostSpans,
      seconds,
      spansPerSecond: acknowledgedSpans / seconds,
      spansPerSecondLow: wholeSeconds.length > 0 ? Math.min(...wholeSeconds) : 0,
      latencyMsP50: quantile(0.5),
      latencyMsP99: quantile(0.99),
      latencyMsMax: sorted[sorted.length - 1] ?? 0,
      cpuSeconds: (cpu.user + cpu.system) / 1e6,
      messages: this.messages,
      acknowledged: this.acknowledged,
    });
  }
}
