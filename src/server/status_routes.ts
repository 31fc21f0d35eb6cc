// What the server says of itself, on the paths and in the forms of Tempo: readiness, versions, services, routes,
// configuration and metrics. None of it asks for a tenant.
import { type Context, Hono } from "hono";
import { accepts } from "hono/accepts";
import type { PrintMode } from "../config/print.ts";
import { buildInfo, versionText } from "../telemetry/build_info.ts";
import { contentTypes, type ExpositionFormat, metrics, type Registry } from "../telemetry/metrics.ts";
import {
  backendSchedulerText,
  type SchedulerReport,
  schedulerJson,
  schedulerText,
} from "./status_routes_scheduler.ts";
import { table } from "./status_routes_table.ts";

/** A part of the server, under Tempo's name for it. */
export interface Service {
  name: string;
  state: "Starting" | "Running" | "Stopping" | "Terminated" | "Failed";
  /** Why it failed. */
  failure?: string;
}

export interface StatusDeps {
  /** Reasons are sentences for people, and without meaning when ready. */
  readiness(): { ready: boolean; reasons: string[] };
  services(): Service[];
  /** Every route served: a Hono app's `routes`. */
  routes(): { method: string; path: string }[];
  /** The configuration as YAML from its `---` on, with secrets masked. */
  printConfig(mode: PrintMode): string;
  scheduler(): SchedulerReport;
  /** `http_api_prefix` of the configuration. */
  apiPrefix?: string;
  /** Default: the process-wide one. */
  registry?: Registry;
}

/** The order in which `/status` shows its sections. */
const sectionNames = ["version", "services", "endpoints", "runtime_config", "config"] as const;
type SectionName = (typeof sectionNames)[number];

/** A mode of printing the configuration that doesn't exist. */
class ModeError extends Error {}

export function statusRoutes(deps: StatusDeps): Hono {
  const registry = deps.registry ?? metrics;
  const prefix = deps.apiPrefix ?? "";
  const sections: Record<SectionName, (mode: PrintMode) => string> = {
    version: versionText,
    services: () => servicesTable(deps.services()),
    endpoints: () => endpointsTable(deps.routes()),
    runtime_config: (mode) => overridesOf(deps.printConfig(mode)),
    config: deps.printConfig,
  };
  const sectionText = (name: SectionName, mode: PrintMode) => `GET /status/${name}\n${sections[name](mode)}`;
  const show = (c: Context, names: readonly SectionName[]) => {
    try {
      const mode = configMode(c.req.query("mode"));
      return plain(c, names.map((name) => sectionText(name, mode)).join("\n"));
    } catch (error) {
      if (error instanceof ModeError) return plain(c, `${error.message}\n`, 500);
      throw error;
    }
  };

  const app = new Hono();
  app.all("/ready", (c) => {
    const { ready, reasons } = deps.readiness();
    if (ready) return plain(c, "ready\n");
    return plain(c, reasons.length === 0 ? "not ready\n" : `${reasons.join("\n")}\n`, 503);
  });
  app.all(`${prefix}/api/echo`, (c) => plain(c, "echo\n"));
  app.get(`${prefix}/api/status/buildinfo`, (c) =>
    c.body(`${JSON.stringify(buildInfo)}\n`, 200, { "Content-Type": "application/json" }),
  );

  app.get("/metrics", async (c) => {
    const format = expositionFormat(c);
    return c.body(await registry.render(format), 200, { "Content-Type": contentTypes[format] });
  });

  app.get("/status", (c) => show(c, sectionNames));
  for (const name of sectionNames) app.get(`/status/${name}`, (c) => show(c, [name]));
  app.get("/status/scheduler", (c) => {
    const report = deps.scheduler();
    if (!wantsJson(c)) return plain(c, schedulerText(report));
    return c.body(schedulerJson(report), 200, { "Content-Type": "application/json" });
  });
  app.get("/status/backendscheduler", (c) => plain(c, backendSchedulerText(deps.scheduler())));
  // Nothing is reported to anyone, as when Tempo's reporting is off. Tempo puts this one path under the API's prefix.
  app.get(`${prefix}/status/usage-stats`, (c) => plain(c, "usage-stats is not enabled\n"));
  app.get("/status/:section", (c) => plain(c, `unknown status section: ${c.req.param("section")}\n`, 404));

  // Tempo's integration tests and old probes ask for these pages; one process is in no ring.
  for (const path of ["/memberlist", "/partition-ring", "/live-store/ring"]) {
    app.get(path, (c) =>
      c.html(`<!DOCTYPE html>\n<title>${path}</title>\n<p>This process is not a member of any ring.</p>\n`),
    );
  }
  return app;
}

function plain(c: Context, text: string, status: 200 | 404 | 500 | 503 = 200): Response {
  return c.body(text, status, { "Content-Type": "text/plain; charset=utf-8" });
}

/** By the query's format, or else by what is accepted. */
function wantsJson(c: Context): boolean {
  const format = c.req.query("format");
  if (format !== undefined) return format === "json";
  const types = { supports: ["text/plain", "application/json"], default: "text/plain" };
  return accepts(c, { header: "Accept", ...types }) === "application/json";
}

function configMode(
  mode: string | undefined, // the mode query parameter
): PrintMode {
  if (mode === undefined || mode === "") return "full";
  if (mode === "diff" || mode === "defaults") return mode;
  throw new ModeError(`unknown value for mode query parameter: ${mode}`);
}

/** Prometheus names OpenMetrics first when it wants it; whoever names neither gets the older form. */
function expositionFormat(c: Context): ExpositionFormat {
  const format = accepts(c, {
    header: "Accept",
    supports: ["prometheus", "openmetrics"],
    default: "prometheus",
    match: (offers, { default: none }) => {
      let best = { format: none, q: 0 };
      for (const { type, params, q } of offers) {
        const open = type === "application/openmetrics-text" && (params.version ?? "1.0.0") === "1.0.0";
        if (!open && !["text/plain", "text/*", "*/*"].includes(type)) continue;
        if (q > best.q) best = { format: open ? "openmetrics" : "prometheus", q };
      }
      return best.format;
    },
  });
  return format as ExpositionFormat;
}

function servicesTable(services: Service[]): string {
  const rows = services.map(({ name, state, failure }) => [
    name,
    state,
    (failure ?? "").replace(/\s+/g, " "),
  ]);
  return table(["SERVICE NAME", "STATUS", "FAILURE CASE"], rows);
}

function endpointsTable(routes: { method: string; path: string }[]): string {
  const methods = new Map<string, Set<string>>();
  for (const { method, path } of routes) {
    if (path.includes("*") && method === "ALL") continue; // middleware
    const name = path.replace(/:(\w+)(\{[^}]*\})?\??/g, "{$1}");
    methods.set(name, (methods.get(name) ?? new Set()).add(method));
  }
  const rows = [...methods].map(([name, set]) => [name, set.has("ALL") ? "any" : [...set].sort().join(", ")]);
  return table(
    ["API", "METHODS"],
    rows.sort(([a], [b]) => (a! < b! ? -1 : 1)),
  );
}

/** What can change without a restart, in Tempo, is the overrides; here they are a section of the configuration. */
function overridesOf(config: string): string {
  const section = /^overrides:\n((?: .*\n?)*)/m.exec(config)?.[1] ?? "";
  return `---\n${section === "" ? "{}\n" : section.replace(/^ {2}/gm, "")}`;
}
