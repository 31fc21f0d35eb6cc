// A Rubato server as a process of its own: configuration, free ports, temporary data, start, stop, kill, and its memory and
// CPU as the kernel counts them. Tests and benchmarks both use it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ControlledProcess } from "./controlled_process.ts";
import { type HttpAnswer, type HttpQuestion, http } from "./http.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));

const startMsMax = 20_000;
const stopMsMax = 30_000;
const logBytesMax = 64 * 1024;
const clockTicksPerSecond = 100;
const preload = fileURLToPath(new URL("process_preload.ts", import.meta.url));

interface Settings {
  [key: string]: string | number | boolean | string[] | Settings | Settings[];
}

export interface RubatoOptions {
  runtime?: "bun" | "deno";
  folder?: string; // data and configuration; a temporary one by default, removed by remove()
  settings?: Settings; // laid over the base configuration
  configFile?: string; // somebody's configuration instead; ports and folders are set by flags
  flags?: string[];
  environment?: Record<string, string>;
  control?: ControlledProcess; // of its clocks, and of when it ends; on Bun
  wrap?: string[]; // a command that runs the server, such as prlimit with a file size
}

export interface Ports {
  http: number;
  grpc: number;
  otlpGrpc: number;
  otlpHttp: number;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export class Rubato {
  private child: ChildProcess | null = null;
  private log = "";
  readyMs = 0; // from spawn to the first 200 of /ready

  private constructor(
    readonly folder: string,
    readonly ports: Ports,
    private readonly options: RubatoOptions,
  ) {}

  static async start(options: RubatoOptions = {}): Promise<Rubato> {
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), "rubato-"));
    const [httpPort, grpc, otlpGrpc, otlpHttp] = (await freePorts(4)) as [number, number, number, number];
    const rubato = new Rubato(folder, { http: httpPort, grpc, otlpGrpc, otlpHttp }, options);
    if (options.configFile === undefined) rubato.configure();
    await rubato.launch();
    return rubato;
  }

  /** Starts the process again on the same data and ports, after stop() or kill(). */
  async restart(): Promise<void> {
    await this.launch();
  }

  get pid(): number {
    if (this.child?.pid === undefined) throw new Error("rubato is not running");
    return this.child.pid;
  }

  get dataFolder(): string {
    return join(this.folder, "data");
  }

  /** What it wrote to its log, the last part of it. */
  get output(): string {
    return this.log;
  }

  get exited(): boolean {
    return this.child === null || this.child.exitCode !== null || this.child.signalCode !== null;
  }

  request(question: HttpQuestion | string): Promise<HttpAnswer> {
    return http(this.ports.http, typeof question === "string" ? { path: question } : question);
  }

  /** Posts to the OTLP/HTTP receiver. */
  otlp(question: HttpQuestion): Promise<HttpAnswer> {
    return http(this.ports.otlpHttp, question);
  }

  async flush(): Promise<void> {
    const answer = await this.request({ method: "POST", path: "/flush", timeoutMs: 120_000 });
    if (answer.status >= 300) throw new Error(`rubato flush: status ${answer.status} ${answer.text()}`);
  }

  /** CPU of all threads since the process started. */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / clockTicksPerSecond;
  }

  /** CPU seconds of every thread that still lives, the busiest first. */
  threads(): [name: string, cpuSeconds: number][] {
    const folder = `/proc/${this.pid}/task`;
    return readdirSync(folder)
      .map((id): [string, number] => {
        const stat = readFileSync(join(folder, id, "stat"), "utf8");
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        const name = `${stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"))} ${id}`;
        return [name, (Number(fields[11]) + Number(fields[12])) / clockTicksPerSecond];
      })
      .sort((a, b) => b[1] - a[1]);
  }

  rssBytes(): number {
    return this.status("VmRSS");
  }

  /** The highest RSS since the start or the last resetPeak(). */
  peakRssBytes(): number {
    return this.status("VmHWM");
  }

  resetPeak(): void {
    writeFileSync(`/proc/${this.pid}/clear_refs`, "5");
  }

  private status(field: string): number {
    const line = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(
      readFileSync(`/proc/${this.pid}/status`, "utf8"),
    );
    return Number(line?.[1] ?? 0) * 1024;
  }

  /** The exit code, once it ends by itself; it is killed if it does not. */
  async ended(): Promise<number | null> {
    const child = this.child;
    if (child === null || this.exited) return child?.exitCode ?? null;
    const timer = setTimeout(() => child.kill("SIGKILL"), stopMsMax);
    await once(child, "exit");
    clearTimeout(timer);
    return child.exitCode;
  }

  /** Ends it gracefully and returns the exit code. */
  async stop(): Promise<number | null> {
    if (!this.exited) this.child?.kill("SIGTERM");
    return this.ended();
  }

  signal(name: "SIGSTOP" | "SIGCONT"): void {
    process.kill(this.pid, name);
  }

  async kill(): Promise<void> {
    const child = this.child;
    if (child === null || this.exited) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  /** Kills it and removes its files. */
  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private configure(): void {
    const { ports } = this;
    mkdirSync(this.folder, { recursive: true });
    const settings = merge(
      {
        stream_over_http_enabled: true,
        usage_report: { reporting_enabled: false },
        server: {
          http_listen_address: "127.0.0.1",
          http_listen_port: ports.http,
          grpc_listen_address: "127.0.0.1",
          grpc_listen_port: ports.grpc,
          log_level: "info",
        },
        distributor: {
          receivers: {
            otlp: {
              protocols: {
                grpc: { endpoint: `127.0.0.1:${ports.otlpGrpc}` },
                http: { endpoint: `127.0.0.1:${ports.otlpHttp}` },
              },
            },
          },
        },
        storage: {
          trace: {
            backend: "local",
            local: { path: join(this.dataFolder, "blocks") },
            wal: { path: join(this.dataFolder, "wal") },
          },
        },
      },
      this.options.settings ?? {},
    );
    writeFileSync(join(this.folder, "rubato.yaml"), `${JSON.stringify(settings, null, 2)}\n`); // JSON is YAML
  }

  private flags(): string[] {
    const { configFile, flags = [] } = this.options;
    if (configFile === undefined) return [`-config.file=${join(this.folder, "rubato.yaml")}`, ...flags];
    const receivers = "-distributor.receivers.otlp.protocols";
    return [
      `-config.file=${configFile}`,
      `-server.http-listen-port=${this.ports.http}`,
      `-server.grpc-listen-port=${this.ports.grpc}`,
      `${receivers}.grpc.endpoint=127.0.0.1:${this.ports.otlpGrpc}`,
      `${receivers}.http.endpoint=127.0.0.1:${this.ports.otlpHttp}`,
      `-storage.trace.local.path=${join(this.dataFolder, "blocks")}`,
      `-storage.trace.wal.path=${join(this.dataFolder, "wal")}`,
      ...flags,
    ];
  }

  private async launch(): Promise<void> {
    const { runtime = "bun", environment, control, wrap = [] } = this.options;
    const program =
      runtime === "bun"
        ? [process.execPath, ...(control ? ["--preload", preload] : []), "src/main.ts"]
        : [join(root, "node_modules/.bin/deno"), "run", "-A", "src/main.ts"];
    const [command, ...args] = [...wrap, ...program, ...this.flags()];
    const startMs = performance.now();
    const child = spawn(command!, args, {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...environment, ...control?.environment },
    });
    this.child = child;
    this.log = "";
    running.add(child);
    child.on("exit", () => running.delete(child));
    const keep = (bytes: Buffer) => {
      this.log = (this.log + bytes.toString("utf8")).slice(-logBytesMax);
    };
    child.stdout!.on("data", keep);
    child.stderr!.on("data", keep);
    while (performance.now() - startMs < startMsMax) {
      if (this.exited) throw new Error(`rubato ended while starting:\n${this.log}`);
      const status = await this.request({ path: "/ready", timeoutMs: 2000 }).then(
        (answer) => answer.status,
        () => 0,
      );
      if (status === 200) {
        this.readyMs = performance.now() - startMs;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
    await this.kill();
    throw new Error(`rubato was not ready after ${startMsMax} ms:\n${this.log}`);
  }
}

function merge(base: Settings, over: Settings): Settings {
  const out: Settings = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const old = out[key];
    const both = isSettings(old) && isSettings(value);
    out[key] = both ? merge(old, value) : value;
  }
  return out;
}

function isSettings(value: unknown): value is Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(async (server) => {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      return typeof address === "object" && address !== null ? address.port : 0;
    }),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
