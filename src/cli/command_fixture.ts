// For tests of the commands: a server that answers what it is told, and a terminal that keeps what it is shown.
import { afterEach, beforeEach } from "bun:test";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { CommandName } from "./commands.ts";
import { runCommand } from "./run.ts";

interface FakeAnswer {
  status?: number;
  contentType?: string;
  body?: string | Uint8Array;
}

export interface FakeServer extends AsyncDisposable {
  url: string;
  /** What was asked, in order. */
  requests: { path: string; parameters: URLSearchParams; headers: IncomingMessage["headers"] }[];
}

/** @param routes answers by path; whatever else is asked gets what an old Tempo says of a route that it doesn't know */
export async function fakeServer(routes: Readonly<Record<string, FakeAnswer>>): Promise<FakeServer> {
  const requests: FakeServer["requests"] = [];
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    requests.push({ path: pathname, parameters: searchParams, headers: request.headers });
    const {
      status = 200,
      contentType = "application/json",
      body = "",
    } = routes[pathname] ?? {
      status: 404,
      contentType: "text/plain",
    };
    response.writeHead(status, { "Content-Type": contentType });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export interface Shown {
  status: number;
  out: string;
  err: string;
}

/** Runs a command. Without columns its output is no terminal. */
export async function run(
  name: CommandName,
  argv: readonly string[],
  columns: number | null = null,
  colours = false,
): Promise<Shown> {
  const shown = { out: "", err: "" };
  const status = await runCommand(name, argv, {
    columns,
    colours,
    out: (text) => {
      shown.out += text;
    },
    err: (text) => {
      shown.err += text;
    },
  });
  return { status, ...shown };
}

/** For the tests of a file the local time is that of Greenwich. */
export function useUtc(): void {
  let zone: string | undefined;
  beforeEach(() => {
    zone = process.env.TZ;
    process.env.TZ = "UTC";
  });
  afterEach(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });
}
