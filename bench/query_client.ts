// Asks a server over one HTTP/1.1 connection that stays open, and takes the time.
import { Agent, get } from "node:http";

export interface Timed {
  /** From sending the request to the last byte of the answer. */
  ms: number;
  status: number;
  body: Buffer;
}

export class QueryClient {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(private readonly port: number) {}

  ask(path: string, parameters: Record<string, string>): Promise<Timed> {
    const query = new URLSearchParams(parameters).toString();
    const startMs = performance.now();
    return new Promise((resolve, reject) => {
      const request = get(
        { host: "127.0.0.1", port: this.port, path: `${path}?${query}`, agent: this.agent },
        (response) => {
          const parts: Buffer[] = [];
          response.on("data", (part: Buffer) => parts.push(part));
          response.on("error", reject);
          response.on("end", () => {
            const ms = performance.now() - startMs;
            resolve({ ms, status: response.statusCode ?? 0, body: Buffer.concat(parts) });
          });
        },
      );
      request.on("error", reject);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
