// Servers that tests start on this machine: programs that .ci/run puts into a folder of the user's cache.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";

/** Azurite takes long to load where others want the cores too. */
const startMsMax = 60_000;

/** Where `.ci/run` puts a tool. */
export function toolPath(...path: string[]): string {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  return join(cache, "rubato-tools", ...path);
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A program that serves on a port until it is killed. */
export class LocalServer {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when it takes connections. @throws Error if it ends before, or takes none for long */
  static async start(
    port: number,
    [program, ...args]: [string, ...string[]],
    env: Record<string, string> = {},
  ): Promise<LocalServer> {
    const { PATH = "" } = process.env;
    const child = spawn(program, args, { stdio: "ignore", env: { PATH, ...env } });
    running.add(child);
    let failure: Error | null = null;
    child.once("error", (error) => {
      failure = error;
    });
    for (const untilMs = Date.now() + startMsMax; Date.now() < untilMs; ) {
      const end = child.exitCode ?? child.signalCode;
      if (failure !== null || end !== null) {
        throw new Error(`${program} ended with ${end}`, { cause: failure });
      }
      if (await answers(port)) return new LocalServer(child);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`${program} does not answer`);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    }
    running.delete(child);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
