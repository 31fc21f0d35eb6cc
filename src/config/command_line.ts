// The command line: Go's flag syntax (one dash or two, = or a space) with Tempo's own flags, and every key of the
// configuration as a flag of its dotted name.
import { commandHelp } from "../cli/commands.ts";
import type { ConfigWarning } from "./error.ts";
import { type AnyTable, isKey } from "./key.ts";
import { isSection, lookUp } from "./known.ts";
import { nearest } from "./nearest.ts";
import type { Flag, LoadOptions } from "./read.ts";
import { renamed } from "./renamed.ts";
import { anyTable, withoutEffect } from "./table.ts";

/** What the command line asks for. */
export type Command =
  | { kind: "serve"; options: LoadOptions; warnings: ConfigWarning[] }
  | { kind: "verify"; options: LoadOptions; warnings: ConfigWarning[] }
  | { kind: "version" }
  | { kind: "help" }
  /** Nothing to do but to say why, and to exit with a status other than 0. */
  | { kind: "error"; message: string };

interface OwnFlag {
  name: string;
  /** What stands for the value in the help; empty for a switch. */
  value: string;
  help: string;
}

const ownFlags: readonly OwnFlag[] = [
  { name: "config.file", value: "path", help: "the configuration, in Tempo's YAML" },
  { name: "config.expand-env", value: "", help: `replace \${NAME} and \${NAME:-default} in the file` },
  { name: "config.verify", value: "", help: "check the configuration and exit: 0 if it holds" },
  { name: "target", value: "all", help: "what to run; this build serves all in one process" },
  { name: "version", value: "", help: "print the version and exit" },
  { name: "help", value: "", help: "print this and exit" },
];

const goRuntime = "ignored, it is a setting of Go's runtime";

/** Tempo's flags that say nothing here. */
const ignoredFlags: Readonly<Record<string, string>> = {
  "mem-ballast-size-mbs": goRuntime,
  "mutex-profile-fraction": goRuntime,
  "block-profile-rate": goRuntime,
};

/** Tempo's flags that are not named as their keys are. */
const flagKeys: Readonly<Record<string, string>> = {
  "log.level": "server.log_level",
  "log.format": "server.log_format",
  "auth.enabled": "multitenancy_enabled",
  "multitenancy.enabled": "multitenancy_enabled",
  "server.path-prefix": "server.http_path_prefix",
  "server.http-read-timeout": "server.http_server_read_timeout",
  "server.http-read-header-timeout": "server.http_server_read_header_timeout",
  "server.http-write-timeout": "server.http_server_write_timeout",
  "server.http-idle-timeout": "server.http_server_idle_timeout",
  "server.grpc-max-recv-msg-size-bytes": "server.grpc_server_max_recv_msg_size",
  "server.grpc-max-send-msg-size-bytes": "server.grpc_server_max_send_msg_size",
  "server.grpc-max-concurrent-streams": "server.grpc_server_max_concurrent_streams",
};

/** Reads the arguments after the program's name. */
export function parseCommandLine(argv: readonly string[]): Command {
  const options: LoadOptions = {};
  const flags: Flag[] = [];
  const warnings: ConfigWarning[] = [];
  let verify = false;
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at]!;
    const match = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(argument);
    if (!match) return unexpected(argument, at === 0);
    const name = match[1]!;
    let value = match[2];
    if (name === "help" || name === "h") return { kind: "help" };
    if (name === "version") return { kind: "version" };

    const isSwitch = name === "config.expand-env" || name === "config.verify";
    const key = isSwitch || name === "config.file" ? undefined : keyOf(name);
    if (!isSwitch && key === undefined && name !== "config.file" && ignoredFlags[name] === undefined) {
      return unknownFlag(name);
    }
    if (value === undefined) {
      if (isSwitch || (key !== undefined && isBool(key))) value = "true";
      else if (at + 1 < argv.length) value = argv[++at]!;
      else return { kind: "error", message: `-${name}: expected a value` };
    }
    if (name === "config.file") options.file = value;
    else if (isSwitch) {
      const on = { true: true, "1": true, false: false, "0": false }[value.toLowerCase()];
      if (on === undefined)
        return { kind: "error", message: `-${name}: expected true or false, found "${value}"` };
      if (name === "config.verify") verify = on;
      else options.expandEnv = on;
    } else if (key !== undefined) flags.push({ name, key, value });
    else warnings.push({ file: "", flag: name, key: "", message: ignoredFlags[name]! });
  }
  if (flags.length > 0) options.flags = flags;
  return { kind: verify ? "verify" : "serve", options, warnings };
}

function unexpected(argument: string, first: boolean): Command {
  const message =
    first && !argument.startsWith("-")
      ? `unknown command "${argument}", see -help`
      : `unexpected argument "${argument}", flags begin with a dash and take their value after = or a space`;
  return { kind: "error", message };
}

/** The configuration's key that a flag sets. */
function keyOf(name: string): string | undefined {
  const path = flagKeys[name] ?? name.replaceAll("-", "_");
  const entry = lookUp(path);
  if (entry !== undefined && !isSection(entry)) return path;
  return renamed.some(({ from }) => from === path) ? path : undefined;
}

function isBool(path: string): boolean {
  const current = renamed.find(({ from }) => from === path)?.to[0] ?? path;
  const entry = lookUp(current);
  return entry !== undefined && !isSection(entry) && entry.kind === "bool";
}

function unknownFlag(name: string): Command {
  const names = [
    ...ownFlags.map((flag) => flag.name),
    ...Object.keys(ignoredFlags),
    ...Object.keys(flagKeys),
    ...keys(anyTable, "").map(({ flag }) => flag),
  ];
  const meant = nearest(name, names);
  return {
    kind: "error",
    message: `-${name}: unknown flag${meant === undefined ? ", see -help" : `, did you mean -${meant}?`}`,
  };
}

interface KeyFlag {
  flag: string;
  path: string;
  kind: string;
  initial: string;
}

function keys(table: AnyTable, under: string): KeyFlag[] {
  return Object.entries(table).flatMap(([name, entry]) => {
    const path = under + name;
    if (!isKey(entry)) return keys(entry, `${path}.`);
    const initial = entry.print?.(entry.default) ?? String(entry.default);
    return [{ flag: path.replaceAll("_", "-"), path, kind: entry.kind, initial }];
  });
}

/** The text of -help, made from the table of keys. */
export function helpText(): string {
  const own = ownFlags.map(({ name, value, help }) => row(value === "" ? name : `${name}=${value}`, help));
  const commands = Object.values(commandHelp).map(
    ({ usage, help }) => `  rubato ${usage.padEnd(20)} ${help}`,
  );
  const settable = keys(anyTable, "").filter(
    ({ path, kind }) => path !== "target" && kind !== "list" && kind !== "map" && !hasNoEffect(path),
  );
  const rows = settable.map(({ flag, kind, initial }) =>
    row(`${flag}=${kind}`, initial === "" ? "" : `default ${initial}`),
  );
  return `Rubato, a tracing backend that speaks Tempo's protocols.

Usage: rubato [flags]
       rubato <command> [options]

${commands.join("\n")}

All but blocks talk to any server that speaks Tempo's HTTP API; rubato <command> -help lists their options. Without a
command it serves.

Without a configuration file it keeps its data under ./data, takes OTLP on localhost:4317 (gRPC) and localhost:4318
(HTTP), and serves Tempo's API on port 3200.

${own.join("\n")}

Every key of the configuration is a flag too, and beats the file:

${rows.join("\n")}
`;
}

const helpColumn = 58;

function row(left: string, right: string): string {
  return `  -${left.padEnd(helpColumn)} ${right}`.trimEnd();
}

function hasNoEffect(path: string): boolean {
  return Object.keys(withoutEffect).some((prefix) => path === prefix || path.startsWith(`${prefix}.`));
}
