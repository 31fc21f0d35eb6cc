// The server's sockets, protocols and receivers with nothing behind them: what a request costs before its first span is looked
// at. Prints its ports and ends when its standard input does.
import { defaultConfig } from "../src/config/defaults.ts";
import { startServer } from "../src/server/server.ts";
import { log } from "../src/telemetry/log.ts";

const receiveBytesMax = 64 << 20;

log.configure({ level: "warn", format: "logfmt" });
const config = defaultConfig();
config.server.http_listen_address = "127.0.0.1";
config.server.http_listen_port = 0;
config.server.grpc_listen_address = "127.0.0.1";
config.server.grpc_listen_port = 0;
const { protocols } = config.distributor.receivers.otlp;
protocols.grpc = { endpoint: "127.0.0.1:0", max_recv_msg_size_mib: 4 };
protocols.http = { ...protocols.http!, endpoint: "127.0.0.1:0" };
const running = await startServer(config, {
  sink: { push: () => Promise.resolve() },
  apiRoutes: [],
  routes: [],
  ready: () => true,
  grpcReflection: false,
  receiveBytesMax,
  flush: () => Promise.resolve(),
  shutdown: () => {},
});
const portOf = (service: string) =>
  running.listens.find(({ services }) => services.some((s) => s === service))!.port;
process.stdout.write(`${JSON.stringify({ grpc: portOf("otlp-grpc"), http: portOf("otlp-http") })}\n`);
process.stdin.on("data", () => {});
process.stdin.on("end", () => process.exit(0));
