// Stands between a server and its bucket, and decides what becomes of each request. Signatures hold, as the host's name is passed on.
import { once } from "node:events";
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import type { S3Server } from "./s3_server.ts";

export interface S3Question {
  method: string;
  /** Within the bucket; "" of the bucket itself. */
  key: string;
  query: URLSearchParams;
  /** It changes what is stored. */
  isWrite: boolean;
}

/**
 * What becomes of a request: it is done and answered, or refused as too much, or lost on its way, or lost after half of its bytes, or done
 * without an answer, or answered as the same question was last time.
 */
export type Fate = "pass" | "refuse" | "lose" | "tear" | "silence" | "repeat";

export interface S3ProxyRules {
  before(question: S3Question): Fate | Promise<Fate>;
  /** Called when the request is done, before the answer is passed on. @returns false to pass on none */
  after?(question: S3Question): boolean | Promise<boolean>;
}

interface Answer {
  status: number;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

/** Answers that are kept to be given again. */
const rememberedMax = 1000;

export class S3Proxy {
  readonly #upstream: S3Server;
  readonly #rules: S3ProxyRules;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #server: Server;
  readonly #lists = new Map<string, Answer>();

  private constructor(upstream: S3Server, rules: S3ProxyRules) {
    this.#upstream = upstream;
    this.#rules = rules;
    this.#server = createServer((question, answer) => {
      this.#answer(question, answer).catch(() => question.socket.destroy());
    });
  }

  static async start(upstream: S3Server, rules: S3ProxyRules): Promise<S3Proxy> {
    const proxy = new S3Proxy(upstream, rules);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  /** What storage.trace says to use the bucket through it. */
  settings(more: Record<string, string | number> = {}) {
    const settings = this.#upstream.settings();
    const { port } = this.#server.address() as { port: number };
    return { ...settings, s3: { ...settings.s3, endpoint: `127.0.0.1:${port}`, ...more } };
  }

  async remove(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    this.#agent.destroy();
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const question = this.#questionOf(incoming);
    const fate = await this.#rules.before(question);
    const name = `${incoming.method} ${incoming.url}`;
    if (fate === "refuse") {
      const xml = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
      outgoing.writeHead(503, { "content-type": "application/xml", "content-length": xml.length }).end(xml);
      return;
    }
    const repeated = fate === "repeat" ? this.#lists.get(name) : undefined;
    if (fate === "lose" || fate === "tear") {
      if (fate === "tear") await this.#ask(incoming, body, body.length >> 1).catch(() => {});
      incoming.socket.destroy();
      return;
    }
    const answer = repeated ?? (await this.#ask(incoming, body, body.length));
    if (question.query.has("list-type")) this.#remember(name, answer);
    if (this.#rules.after && !(await this.#rules.after(question))) incoming.socket.destroy();
    else if (fate === "silence") incoming.socket.destroy();
    else outgoing.writeHead(answer.status, answer.headers).end(answer.body);
  }

  #questionOf({ method = "", url = "" }: IncomingMessage): S3Question {
    const { pathname, searchParams } = new URL(url, "http://s3");
    const key = decodeURIComponent(pathname).slice(`/${this.#upstream.bucket}/`.length);
    return { method, key, query: searchParams, isWrite: method !== "GET" && method !== "HEAD" };
  }

  #remember(name: string, answer: Answer): void {
    if (this.#lists.size === rememberedMax) this.#lists.clear();
    if (answer.status === 200) this.#lists.set(name, answer);
  }

  /** Sends the first bytes of a request on, and breaks off if that is not all. */
  async #ask({ method, url, headers }: IncomingMessage, body: Buffer, bytes: number): Promise<Answer> {
    const { port } = this.#upstream;
    const asked = request({ host: "127.0.0.1", port, method, path: url, headers, agent: this.#agent });
    if (bytes < body.length) {
      asked.on("error", () => {});
      await new Promise<void>((resolve) => asked.write(body.subarray(0, bytes), () => resolve()));
      asked.destroy();
      throw new Error("torn");
    }
    asked.end(body);
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    return { status: answer.statusCode!, headers: answer.headers, body: Buffer.concat(chunks) };
  }
}
