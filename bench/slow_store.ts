// Stands between a server and an object store on this machine, and makes of it one that is far away: every request waits before it is
// passed on, each by itself. Counts requests by what they ask for, and the bytes of the answers.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** By the last part of the path; the first that fits. */
const kinds: [kind: string, path: RegExp][] = [
  ["list", /[?&]list-type=/],
  ["meta", /\/meta(\.compacted)?\.json$/],
  ["bloom", /\/bloom-\d+$/],
  ["data", /\/data\.parquet$/],
  ["index", /\/index\.(json\.gz|pb\.zst)$/],
];
const endOfHead = Buffer.from("\r\n\r\n");

export interface Counts {
  requests: number;
  /** Requests by kind. */
  byKind: Map<string, number>;
  /** Of the objects that were asked for by more than one request each counts once. */
  objects: Set<string>;
  /** Of answers, their heads included. */
  bytes: number;
}

const noCounts = (): Counts => ({ requests: 0, byKind: new Map(), objects: new Set(), bytes: 0 });

export class SlowStore {
  readonly #server: Server;
  readonly #port: number;
  readonly #delayMs: number;
  readonly #sockets = new Set<Socket>();
  #counts = noCounts();

  private constructor(port: number, delayMs: number) {
    this.#port = port;
    this.#delayMs = delayMs;
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
  }

  /** @param port of the store */
  static async start(port: number, delayMs: number): Promise<SlowStore> {
    const store = new SlowStore(port, delayMs);
    store.#server.listen(0, "127.0.0.1");
    await once(store.#server, "listening");
    return store;
  }

  get endpoint(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What was asked since the last time. */
  take(): Counts {
    const counts = this.#counts;
    this.#counts = noCounts();
    return counts;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** One request after the other, as HTTP/1.1 without pipelining has it. */
  #serve(client: Socket): void {
    const upstream = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    upstream.on("data", (bytes: Buffer) => {
      this.#counts.bytes += bytes.length;
      client.write(bytes);
    });
    let held = Buffer.alloc(0);
    /** Of the body of the request that was passed on, what has not come yet. */
    let bodyLeft = 0;
    let isWaiting = false;
    const pass = () => {
      while (held.length > 0 && !isWaiting) {
        if (bodyLeft > 0) {
          const part = held.subarray(0, bodyLeft);
          bodyLeft -= part.length;
          held = held.subarray(part.length);
          upstream.write(part);
          continue;
        }
        const end = held.indexOf(endOfHead);
        if (end < 0) return;
        const length = end + endOfHead.length;
        const head = held.subarray(0, length);
        held = held.subarray(length);
        const text = head.toString("latin1");
        bodyLeft = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? 0);
        this.#count(text);
        isWaiting = true;
        setTimeout(() => {
          isWaiting = false;
          upstream.write(head);
          pass();
        }, this.#delayMs);
      }
    };
    client.on("data", (bytes: Buffer) => {
      held = Buffer.concat([held, bytes]);
      pass();
    });
  }

  #count(head: string): void {
    const counts = this.#counts;
    const [, path = ""] = head.split(" ", 2);
    const kind = kinds.find(([, pattern]) => pattern.test(path))?.[0] ?? "other";
    counts.requests++;
    counts.byKind.set(kind, (counts.byKind.get(kind) ?? 0) + 1);
    if (kind !== "list") counts.objects.add(path);
  }
}
