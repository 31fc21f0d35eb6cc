// Command line of the load generator: `bun bench/load_generator.ts --port 4317 --seconds 60`. Prints one JSON object.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type LoadOptions, loadDefaults, runLoad } from "./load/run.ts";

const usage = `Sends generated OTLP spans at a server on this machine or another.
  --host H                 127.0.0.1
  --port P                 4317 (gRPC) or 4318 (HTTP)
  --protocol grpc|http     grpc
  --rate N                 spans a second; 0 = as fast as the server takes them
  --seconds N              10
  --spans N                stop after so many spans
  --spans-per-request N    500
  --connections N          4
  --in-flight N            4 requests on a gRPC connection
  --tenant T               X-Scope-OrgID
  --seed N                 1; ids depend on it
  --first-trace N          0; counter of the first trace
  --no-retry               give up what the server refuses
  --acknowledged FILE      write the counters of acknowledged traces: pairs of little-endian u32, first and count`;

const { values } = parseArgs({
  options: {
    host: { type: "string" },
    port: { type: "string" },
    protocol: { type: "string" },
    rate: { type: "string" },
    seconds: { type: "string" },
    spans: { type: "string" },
    "spans-per-request": { type: "string" },
    connections: { type: "string" },
    "in-flight": { type: "string" },
    tenant: { type: "string" },
    seed: { type: "string" },
    "first-trace": { type: "string" },
    "no-retry": { type: "boolean" },
    acknowledged: { type: "string" },
    help: { type: "boolean" },
  },
});
if (values.help) {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}

const number = (text: string | undefined, otherwise: number, name: string): number => {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!(value >= 0)) throw new Error(`--${name}: ${text} is not a number`);
  return value;
};
const protocol = values.protocol === "http" ? "http" : "grpc";
const options: LoadOptions = {
  host: values.host ?? loadDefaults.host,
  port: number(values.port, protocol === "grpc" ? 4317 : 4318, "port"),
  protocol,
  rate: number(values.rate, loadDefaults.rate, "rate"),
  spans: number(values.spans, 0, "spans"),
  seconds: number(values.seconds, values.spans === undefined ? loadDefaults.seconds : 0, "seconds"),
  spansPerRequest: number(values["spans-per-request"], loadDefaults.spansPerRequest, "spans-per-request"),
  connections: number(values.connections, loadDefaults.connections, "connections"),
  inFlight: number(values["in-flight"], loadDefaults.inFlight, "in-flight"),
  tenant: values.tenant ?? null,
  seed: number(values.seed, loadDefaults.seed, "seed"),
  firstTrace: number(values["first-trace"], 0, "first-trace"),
  retry: values["no-retry"] !== true,
};
const result = await runLoad(options);
if (values.acknowledged !== undefined) writeFileSync(values.acknowledged, result.acknowledged.encode());
const { acknowledged, ...printed } = result;
process.stdout.write(`${JSON.stringify({ ...printed, acknowledgedTraces: acknowledged.count() })}\n`);
process.exit(result.acknowledgedSpans > 0 ? 0 : 1);
