// A test server as a program of its own, for runtimes other than the one that runs the tests. It says where it listens,
// serves until its standard input ends, and then says what it was sent.
import process from "node:process";
import { Hono } from "hono";
import { startTestServer } from "./test_server.ts";

const routes = new Hono().get("/hello", (c) => c.text("hello ".repeat(500)));
const server = await startTestServer(
  (config) => {
    config.server.http_server_read_timeout = 1000;
  },
  { routes: [routes] },
);

print({ listens: server.running.listens });
process.stdin.resume();
process.stdin.once("end", async () => {
  const { receivedBytes } = server.running;
  await server.stop();
  print({
    requests: server.pushed.map(({ request }) => Buffer.from(request).toString("hex")),
    receivedBytes,
    connections: server.running.connections,
  });
  process.exit(0);
});

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
