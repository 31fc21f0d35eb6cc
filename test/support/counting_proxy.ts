// Stands between a server and an object store, and notes what is asked.
import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export class CountingProxy {
  #asked: string[] = [];

  private constructor(private readonly server: Server) {}

  /** @param port of the store on this machine */
  static async start(port: number): Promise<CountingProxy> {
    const server = createServer((incoming, answer) => {
      proxy.#asked.push(`${incoming.method} ${incoming.url}`);
      const { method, url: path, headers } = incoming;
      const outgoing = request({ host: "127.0.0.1", port, method, path, headers }, (found) => {
        answer.writeHead(found.statusCode!, found.headers);
        found.pipe(answer);
      });
      outgoing.on("error", () => answer.destroy());
      incoming.pipe(outgoing);
    });
    const proxy = new CountingProxy(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  get endpoint(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Method and last part of the path of each request since the last time, sorted. */
  take(): string[] {
    const asked = this.#asked;
    this.#asked = [];
    return asked.map((line) => line.replace(/ .*\/([^/?]*).*/, " $1")).sort();
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
