// The call layer between the main thread and its workers: typed requests with ids, transferred buffers, deadlines,
// cancellation, and a count of the bytes that wait. WorkerClient is the main thread's end, serveCalls the worker's.

import { parentPort, type Worker } from "node:worker_threads";

/** The shape of a worker's interface: per method its parameters and its result. Write it as an `interface` of your own. */
export type Calls<Api> = { [Method in keyof Api]: { params: unknown; result: unknown } };

export interface CallOptions {
  /** Buffers that move to the worker instead of being copied; the caller's views on them become empty. */
  transfer?: ArrayBuffer[];
  signal?: AbortSignal;
  /** Milliseconds after which the call is rejected and cancelled in the worker. */
  deadlineMs?: number;
  /** Counted in the client's queuedBytes until the call is settled. */
  bytes?: number;
}

export interface WorkerClientOptions {
  /** A call whose bytes would bring queuedBytes above this is rejected as resource_exhausted. */
  queuedBytesMax?: number;
}

/** What a call is rejected with: the class name and the code of the worker's error, or this layer's own. */
export class CallError extends Error {
  /** Own codes: unavailable (the worker is gone), deadline_exceeded, canceled, resource_exhausted; otherwise the worker's. */
  readonly code: string;
  constructor(name: string, code: string, message: string) {
    super(message);
    this.name = name;
    this.code = code;
  }
}

/** What a handler is given beside the parameters. */
export interface CallContext {
  /** Aborted when the caller cancels, its deadline passes, or the worker is asked to close. */
  readonly signal: AbortSignal;
  /** Names a buffer of the result that is to move instead of being copied. */
  transfer(buffer: ArrayBuffer): void;
}

export type CallHandlers<Api extends Calls<Api>> = {
  [Method in keyof Api]: (
    params: Api[Method]["params"],
    context: CallContext,
  ) => Api[Method]["result"] | Promise<Api[Method]["result"]>;
};

type ToWorker =
  | { kind: "call"; id: number; method: string; params: unknown }
  | { kind: "cancel"; id: number };

type FromWorker =
  | { kind: "serving" }
  | { kind: "result"; id: number; result: unknown; cpuMicros: number }
  | { kind: "error"; id: number; name: string; code: string; message: string; cpuMicros: number }
  | { kind: "event"; event: string; body: unknown; cpuMicros: number };

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
  bytes: number;
  signal: AbortSignal | undefined;
  onAbort: (() => void) | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** How long a utilisation reading stands before a new one is taken. */
const utilisationPeriodMs = 1000;

export class WorkerClient<Api extends Calls<Api>> {
  readonly name: string;
  /** Resolves when the worker has its handlers in place; rejects if it dies before. Calls made earlier wait for it. */
  readonly serving: Promise<void>;
  #worker: Worker;
  #pending = new Map<number, Pending>();
  #listeners = new Map<string, ((body: unknown) => void)[]>();
  #goneListeners: ((reason: Error) => void)[] = [];
  #waiting: { message: ToWorker; transfer: ArrayBuffer[] }[] | null = [];
  #startServing: () => void;
  #failServing: (error: Error) => void;
  #nextId = 1;
  #queuedBytes = 0;
  #queuedBytesMax: number;
  #gone: Error | null = null;
  #closing = false;
  #exited: Promise<void>;
  #cpuMicros = 0;
  #utilisation = 0;
  #sampledCpuMicros = 0;
  #sampledAt = performance.now();

  constructor(worker: Worker, name: string, options: WorkerClientOptions = {}) {
    this.name = name;
    this.#worker = worker;
    this.#queuedBytesMax = options.queuedBytesMax ?? Number.POSITIVE_INFINITY;
    const serving = Promise.withResolvers<void>();
    this.serving = serving.promise;
    this.serving.catch(() => {}); // who does not wait for it learns from the rejected calls
    this.#startServing = serving.resolve;
    this.#failServing = serving.reject;
    const exited = Promise.withResolvers<void>();
    this.#exited = exited.promise;
    worker.on("message", (message: FromWorker) => this.#receive(message));
    worker.on("error", (cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      this.#fail(new CallError("WorkerGone", "unavailable", `${this.name} failed: ${reason}`));
    });
    worker.on("exit", (code: number) => {
      this.#fail(new CallError("WorkerGone", "unavailable", `${this.name} exited with code ${code}`));
      exited.resolve();
    });
  }

  /** Bytes declared by the calls that are not settled yet. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get pendingCalls(): number {
    return this.#pending.size;
  }

  /** CPU time the worker's thread has used so far, as of its last message. */
  get cpuMicros(): number {
    return this.#cpuMicros;
  }

  /** Share of one core that the worker's thread used lately, 0 to 1. */
  get utilisation(): number {
    const now = performance.now();
    const elapsedMs = now - this.#sampledAt;
    if (elapsedMs >= utilisationPeriodMs) {
      const usedMs = (this.#cpuMicros - this.#sampledCpuMicros) / 1000;
      this.#utilisation = Math.min(1, Math.max(0, usedMs / elapsedMs));
      this.#sampledCpuMicros = this.#cpuMicros;
      this.#sampledAt = now;
    }
    return this.#utilisation;
  }

  /** False once the worker has died or was closed. */
  get alive(): boolean {
    return this.#gone === null;
  }

  call<Method extends keyof Api & string>(
    method: Method,
    params: Api[Method]["params"],
    options: CallOptions = {},
  ): Promise<Api[Method]["result"]> {
    if (this.#gone) return Promise.reject(this.#gone);
    const { signal, deadlineMs, bytes = 0, transfer = [] } = options;
    if (signal?.aborted) return Promise.reject(this.#canceled(method));
    if (this.#queuedBytes + bytes > this.#queuedBytesMax) {
      const text = `${this.name} queue is full: ${this.#queuedBytes} bytes wait, at most ${this.#queuedBytesMax} may`;
      return Promise.reject(new CallError("QueueFull", "resource_exhausted", text));
    }
    const id = this.#nextId++;
    const message: ToWorker = { kind: "call", id, method, params };
    if (this.#waiting) this.#waiting.push({ message, transfer });
    else this.#worker.postMessage(message, transfer);

    return new Promise<Api[Method]["result"]>((resolve, reject) => {
      const pending: Pending = {
        resolve: resolve as (result: unknown) => void,
        reject,
        bytes,
        signal,
        onAbort: undefined,
        timer: undefined,
      };
      if (signal) {
        pending.onAbort = () => this.#abandon(id, this.#canceled(method));
        signal.addEventListener("abort", pending.onAbort, { once: true });
      }
      if (deadlineMs !== undefined) {
        const text = `${this.name} ${method} took longer than ${deadlineMs} ms`;
        pending.timer = setTimeout(
          () => this.#abandon(id, new CallError("DeadlineExceeded", "deadline_exceeded", text)),
          deadlineMs,
        );
      }
      this.#pending.set(id, pending);
      this.#queuedBytes += bytes;
    });
  }

  /** Listens to what the worker emits. Events and answers arrive in the order in which the worker sent them. */
  on<Body>(event: string, listener: (body: Body) => void): void {
    const listeners = this.#listeners.get(event) ?? [];
    listeners.push(listener as (body: unknown) => void);
    this.#listeners.set(event, listeners);
  }

  /** Called once if the worker ends without close(): an uncaught error, a trap, an exit of its own. */
  onGone(listener: (reason: Error) => void): void {
    this.#goneListeners.push(listener);
  }

  /** Ends the worker at once; calls still pending are rejected. Ask it to finish its work first, through its own methods. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#fail(new CallError("WorkerGone", "unavailable", `${this.name} is closed`));
    await this.#worker.terminate();
    await this.#exited;
  }

  #canceled(method: string): CallError {
    return new CallError("Canceled", "canceled", `${this.name} ${method} was canceled`);
  }

  #receive(message: FromWorker): void {
    if (message.kind === "serving") {
      const waiting = this.#waiting ?? [];
      this.#waiting = null;
      for (const { message, transfer } of waiting) this.#worker.postMessage(message, transfer);
      this.#startServing();
      return;
    }
    this.#cpuMicros = message.cpuMicros;
    if (message.kind === "event") {
      for (const listener of this.#listeners.get(message.event) ?? []) listener(message.body);
      return;
    }
    const pending = this.#settle(message.id);
    if (!pending) return; // it was cancelled meanwhile
    if (message.kind === "result") pending.resolve(message.result);
    else pending.reject(new CallError(message.name, message.code, message.message));
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    if (!pending) return undefined;
    this.#pending.delete(id);
    this.#queuedBytes -= pending.bytes;
    if (pending.onAbort) pending.signal?.removeEventListener("abort", pending.onAbort);
    if (pending.timer !== undefined) clearTimeout(pending.timer);
    return pending;
  }

  #abandon(id: number, error: CallError): void {
    const pending = this.#settle(id);
    if (!pending) return;
    const waiting = this.#waiting?.findIndex(({ message }) => message.id === id) ?? -1;
    if (waiting >= 0) this.#waiting?.splice(waiting, 1);
    else if (!this.#gone) this.#worker.postMessage({ kind: "cancel", id } satisfies ToWorker);
    pending.reject(error);
  }

  #fail(error: CallError): void {
    if (this.#gone) return;
    this.#gone = error;
    this.#waiting = null;
    this.#failServing(error);
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(error);
    if (!this.#closing) for (const listener of this.#goneListeners) listener(error);
  }
}

class ServedCall implements CallContext {
  #controller: AbortController | undefined;
  #aborted = false;
  transfers: ArrayBuffer[] | undefined;

  // An AbortController costs more than most calls, so it exists only for handlers that look at it.
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted) this.#controller.abort();
    return this.#controller.signal;
  }

  abort(): void {
    this.#aborted = true;
    this.#controller?.abort();
  }

  transfer(buffer: ArrayBuffer): void {
    this.transfers ??= [];
    this.transfers.push(buffer);
  }
}

/** CPU time of this thread in microseconds; 0 where the runtime can't tell. */
function threadCpuMicros(): number {
  if (typeof process.threadCpuUsage !== "function") return 0;
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

function errorFields(cause: unknown): { name: string; code: string; message: string } {
  if (!(cause instanceof Error)) return { name: "Error", code: "internal", message: String(cause) };
  const code = (cause as { code?: unknown }).code;
  return {
    name: cause.name === "Error" ? cause.constructor.name : cause.name,
    code: typeof code === "string" ? code : "internal",
    message: cause.message,
  };
}

/**
 * Serves the calls of this worker's creator. A handler runs as soon as its message arrives, so handlers of messages that
 * wait together all start before any setImmediate callback: what they collect can be written as one group.
 */
export function serveCalls<Api extends Calls<Api>>(
  handlers: CallHandlers<Api>,
): { emit(event: string, body: unknown, transfer?: ArrayBuffer[]): void } {
  const port = parentPort;
  if (!port) throw new Error("serveCalls: this thread is no worker");
  const running = new Map<number, ServedCall>();
  const table = handlers as Record<string, (params: unknown, context: CallContext) => unknown>;

  const post = (message: FromWorker, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
  const answer = (id: number, call: ServedCall, result: unknown) =>
    post({ kind: "result", id, result, cpuMicros: threadCpuMicros() }, call.transfers);
  const refuse = (id: number, cause: unknown) =>
    post({ kind: "error", id, ...errorFields(cause), cpuMicros: threadCpuMicros() });

  port.on("message", (message: ToWorker) => {
    if (message.kind === "cancel") {
      running.get(message.id)?.abort();
      return;
    }
    const { id, method, params } = message;
    const call = new ServedCall();
    try {
      const handler = Object.hasOwn(table, method) ? table[method] : undefined;
      if (!handler) throw new TypeError(`no handler for ${method}`);
      const result = handler(params, call);
      if (!(result instanceof Promise)) {
        answer(id, call, result);
        return;
      }
      running.set(id, call);
      result
        .then((value) => answer(id, call, value))
        .catch((cause) => refuse(id, cause)) // also of a result that can't be posted
        .finally(() => running.delete(id));
    } catch (cause) {
      refuse(id, cause);
    }
  });
  post({ kind: "serving" });
  return {
    emit: (event, body, transfer = []) =>
      post({ kind: "event", event, body, cpuMicros: threadCpuMicros() }, transfer),
  };
}
