// Ports of servers that tests start on this machine.
import type { ChildProcess } from "node:child_process";
import { connect, createServer } from "node:net";

const startMsMax = 60_000;

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Waits until a server takes connections. @throws Error if it ends before, or takes none for long */
export async function answering(child: ChildProcess, port: number, name: string): Promise<void> {
  for (const untilMs = Date.now() + startMsMax; Date.now() < untilMs; ) {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`);
    if (await answers(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${name} does not answer`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
