// From a file, flags and the environment to a checked Config, or to everything that is wrong with them.
import { readFileSync } from "node:fs";
import { checkAzure } from "./azure.ts";
import type { Config } from "./config.ts";
import { defaultConfig } from "./defaults.ts";
import { parseEndpoint } from "./endpoint.ts";
import { ConfigError, type ConfigProblem, type ConfigWarning, printProblem } from "./error.ts";
import { expandEnvironment } from "./expand.ts";
import { checkGcs } from "./gcs.ts";
import { refused } from "./ignored.ts";
import { type AnyTable, type Given, isKey } from "./key.ts";
import { isEveryInterface, listenPlan } from "./listen.ts";
import { choosePaths, overlap } from "./paths.ts";
import type { Loaded, LoadOptions } from "./read.ts";
import { normaliseReceivers, settleReceivers } from "./receivers.ts";
import { applyRenames, get, set } from "./rename.ts";
import { checkS3 } from "./s3.ts";
import { validate } from "./schema.ts";
import { emptyMap, isTreeMap, parseSource, type Source, type Tree } from "./source.ts";
import { anyTable } from "./table.ts";
import { findWarnings } from "./warnings.ts";
import { ignoredColumns } from "./written_columns.ts";

/** Heads of less would be cut for every few requests. */
const budgetBytesMin = 16 << 20;

/**
 * Reads and checks a configuration; readConfig() is the way here that loads this module only when there is a need.
 *
 * @throws ConfigError with every problem found
 */
export function loadConfig(options: LoadOptions = {}): Loaded {
  const { file = "", flags = [] } = options;
  const source = readSource(options, file);
  const { listening, unserved } = normaliseReceivers(source);
  for (const { name, key, value } of flags) {
    set(source.tree, key, value);
    source.places.set(key, { flag: name });
    const protocol = /^distributor\.receivers\.otlp\.protocols\.(grpc|http)\./.exec(key)?.[1];
    if (listening !== null && protocol !== undefined) listening[protocol as "grpc" | "http"] = true;
  }
  const moves = applyRenames(source);
  const given = withoutNulls(source.tree);
  const problems: ConfigProblem[] = [];
  function report(path: string, message: string): void {
    const old = moves.find(
      ({ read, to }) => read && to.some((at) => path === at || path.startsWith(`${at}.`)),
    );
    const key = old === undefined ? path : old.from;
    const place = placeOf(source, path);
    const problem = { file, ...place, key, message };
    if (!problems.some((other) => printProblem(other) === printProblem(problem))) problems.push(problem);
  }

  for (const { path, harmless, reason } of refused) {
    const value = get(source.tree, path);
    if (value !== undefined && asksForSomething(value, harmless)) report(path, reason);
  }
  const result = validate(given);
  const config = defaultConfig();
  if ("issues" in result) {
    for (const { path, message } of result.issues) report(path, message);
  } else {
    // The paths depend on each other: choose them again, from what was given.
    config.storage.trace.local.path = "";
    config.storage.trace.wal.path = "";
    assign(anyTable, config as unknown as Record<string, unknown>, result.value);
    choosePaths(config.storage.trace);
    settleReceivers(config.distributor.receivers, listening);
    checkTogether(config, report);
  }
  if (problems.length > 0) throw new ConfigError(inOrder(problems));

  const warnings = findWarnings(source, moves, file);
  for (const { name, reason } of unserved) {
    const key = `distributor.receivers.${name}`;
    warnings.push({ file, ...source.places.get(key), key, message: `ignored, ${reason}` });
  }
  warnings.push(...sharedPorts(config, source, file), ...needlessCache(config, source, file));
  const columns = ignoredColumns(config);
  if (columns !== null) warnings.push({ file, ...placeOf(source, columns.key), ...columns });
  return { config, warnings: inOrder(warnings) };
}

function readSource({ file, text, expandEnv, env }: LoadOptions, name: string): Source {
  let content = text;
  if (content === undefined) {
    if (file === undefined) return { tree: emptyMap(), places: new Map() };
    try {
      content = readFileSync(file, "utf8");
    } catch (error) {
      const message = `cannot be read: ${(error as Error).message}`;
      throw new ConfigError([{ file, key: "", message }]);
    }
  }
  if (content.startsWith("\uFEFF")) content = content.slice(1);
  if (expandEnv) content = expandEnvironment(content, env ?? process.env, name);
  return parseSource(content, name);
}

/** A key without a value says nothing, as in Go. */
function withoutNulls(tree: Tree): Given {
  if (tree === null) return "";
  if (Array.isArray(tree)) return tree.map(withoutNulls);
  if (!isTreeMap(tree)) return tree;
  const kept: Record<string, Given> = Object.create(null);
  for (const [name, value] of Object.entries(tree)) {
    if (value !== null) kept[name] = withoutNulls(value);
  }
  return kept;
}

/** The place of a key, or of the nearest section around it that has one. */
function placeOf({ places }: Source, path: string) {
  for (let at = path; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf(".")))) {
    const place = places.get(at);
    if (place !== undefined) return place;
  }
  return {};
}

function asksForSomething(value: Tree, harmless: readonly string[]): boolean {
  if (value === null) return false;
  if (typeof value === "string") return !harmless.includes(value.toLowerCase());
  return Object.values(value).some((inner: Tree) => asksForSomething(inner, harmless));
}

/** Puts given values over the defaults; keys that are not in the table are the ignored ones. */
function assign(
  table: AnyTable,
  config: Record<string, unknown>,
  given: Readonly<Record<string, unknown>>,
): void {
  for (const [name, entry] of Object.entries(table)) {
    const value = given[name];
    if (value === undefined) continue;
    if (isKey(entry)) config[name] = value;
    else assign(entry, config[name] as Record<string, unknown>, value as Record<string, unknown>);
  }
}

/** What can only be judged across keys or with the receivers settled. */
function checkTogether(config: Config, report: (path: string, message: string) => void): void {
  const { budget_bytes: budget } = config.memory;
  if (budget > 0 && budget < budgetBytesMin) {
    report("memory.budget_bytes", `must be 0 or at least ${budgetBytesMin >> 20}MiB, found ${budget} bytes`);
  }
  const { grpc, http } = config.distributor.receivers.otlp.protocols;
  const at = "distributor.receivers.otlp.protocols";
  const endpoints = [
    [`${at}.grpc.endpoint`, grpc?.endpoint],
    [`${at}.http.endpoint`, http?.endpoint],
  ] as const;
  for (const [path, endpoint] of endpoints) {
    if (endpoint !== undefined && parseEndpoint(endpoint) === undefined) {
      report(path, `expected an address such as 0.0.0.0:4317, found "${endpoint}"`);
    }
  }
  if (http !== null && !http.traces_url_path.startsWith("/")) {
    report(`${at}.http.traces_url_path`, `must begin with "/", found "${http.traces_url_path}"`);
  }
  const { backend, s3, gcs, azure, wal, block_cache: cache } = config.storage.trace;
  if (backend === "s3") checkS3(s3, (key, message) => report(`storage.trace.s3.${key}`, message));
  if (backend === "gcs") checkGcs(gcs, (key, message) => report(`storage.trace.gcs.${key}`, message));
  if (backend === "azure") checkAzure(azure, (key, message) => report(`storage.trace.azure.${key}`, message));
  if (backend !== "local" && cache.path !== "" && overlap(cache.path, wal.path)) {
    const message = `must be a folder apart from storage.trace.wal.path, "${wal.path}", found "${cache.path}"`;
    report("storage.trace.block_cache.path", message);
  }
  const { search } = config.query_frontend;
  if (search.max_result_limit > 0 && search.default_result_limit > search.max_result_limit) {
    report("query_frontend.search.default_result_limit", "must not be above max_result_limit");
  }
}

/** A service that was meant for one host and is served on every interface, since its port is shared. */
function sharedPorts(config: Config, source: Source, file: string): ConfigWarning[] {
  const plan = listenPlan(config);
  const warnings: ConfigWarning[] = [];
  for (const protocol of ["grpc", "http"] as const) {
    const receiver = config.distributor.receivers.otlp.protocols[protocol];
    const endpoint = receiver === null ? undefined : parseEndpoint(receiver.endpoint);
    if (endpoint === undefined || isEveryInterface(endpoint.host) || endpoint.port === 0) continue;
    const listen = plan.find(
      ({ port, services }) => port === endpoint.port && services.includes(`otlp-${protocol}` as const),
    );
    if (listen === undefined || !isEveryInterface(listen.host)) continue;
    const key = `distributor.receivers.otlp.protocols.${protocol}.endpoint`;
    const message = `served on every interface, since port ${endpoint.port} is shared with a service that listens there`;
    warnings.push({ file, ...placeOf(source, key), key, message });
  }
  return warnings;
}

function needlessCache({ storage }: Config, source: Source, file: string): ConfigWarning[] {
  const { backend, block_cache } = storage.trace;
  if (backend !== "local" || block_cache.path === "") return [];
  const key = "storage.trace.block_cache.path";
  const message = "no effect, the blocks of backend local are on a disk of this machine already";
  return [{ file, ...placeOf(source, key), key, message }];
}

function inOrder<Problem extends ConfigProblem>(problems: Problem[]): Problem[] {
  return problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}
