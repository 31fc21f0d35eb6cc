// The process's log: one line per entry on stderr, as logfmt or JSON.
// Whatever a client sends may end up here, so a value can neither break its line nor fill the disk with one entry.
import process from "node:process";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFormat = "logfmt" | "json";
export type LogFields = Record<string, string | number | boolean | undefined | Error>;
export type LogMethod = (message: string, fields?: LogFields) => void;

export interface LogOptions {
  /** Entries below this level cost one empty call. Default `info`. */
  level?: LogLevel;
  format?: LogFormat;
  /** Takes each finished line, newline included. Default: stderr. */
  sink?: (line: string) => void;
}

/** A longer value is cut and ends in an ellipsis. */
export const logValueCharsMax = 4096;
/** Lines are dropped, and counted, while more than this waits for a reader of stderr that has stalled. */
export const logBufferCharsMax = 1 << 20;
/** How many causes of an error are followed. */
const causesMax = 5;

const levels: LogLevel[] = ["debug", "info", "warn", "error"];

let level: LogLevel = "info";
let format: LogFormat = "logfmt";
let sink: (line: string) => void = writeStderr;
let dropped = 0;
let waiting = 0;

/** The process-wide log. `log.debug` and the others can be passed on as plain functions only after `configure`. */
export const log: Record<LogLevel, LogMethod> & {
  configure(options: LogOptions): void;
  /** Whether entries of this level are written: for callers whose fields are costly to work out. */
  enabled(level: LogLevel): boolean;
  /** Lines dropped because stderr's reader was too slow. */
  droppedLines(): number;
} = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  configure(options) {
    level = options.level ?? level;
    format = options.format ?? format;
    sink = options.sink ?? sink;
    for (const each of levels) log[each] = log.enabled(each) ? writer(each) : ignore;
  },
  enabled(asked) {
    return levels.indexOf(asked) >= levels.indexOf(level);
  },
  droppedLines() {
    return dropped;
  },
};
log.configure({});

function ignore(): void {}

function writer(entryLevel: LogLevel): LogMethod {
  return (message, fields) => {
    const entry: LogFields = { ts: new Date().toISOString(), level: entryLevel, msg: message };
    for (const name in fields) {
      const value = fields[name];
      if (value === undefined) continue;
      const key = fieldName(name, entry);
      entry[key] = value instanceof Error ? errorText(value) : value;
      // A stack is for whoever turned debugging on; everyone else gets the sentence.
      if (value instanceof Error && level === "debug" && value.stack)
        entry[fieldName("stack", entry)] = value.stack;
    }
    sink(format === "json" ? jsonLine(entry) : logfmtLine(entry));
  };
}

function writeStderr(line: string): void {
  if (waiting > logBufferCharsMax) {
    dropped++;
    return;
  }
  // Counted here because Bun's writableLength stays 0.
  waiting += line.length;
  process.stderr.write(line, () => {
    waiting -= line.length;
  });
}

/** Makes a key that logfmt can hold and that doesn't hide an earlier field of the same entry. */
function fieldName(name: string, entry: LogFields): string {
  let key = name.replace(/[^\w.\-/]/g, "_") || "_";
  while (Object.hasOwn(entry, key)) key += "_";
  return key;
}

/** An error's message followed by those of its causes, each told once. */
export function errorText(error: Error): string {
  let text = error.message || error.name;
  let cause: unknown = error.cause;
  for (let i = 0; i < causesMax && cause instanceof Error; i++, cause = cause.cause) {
    if (!text.includes(cause.message)) text += `: ${cause.message}`;
  }
  return text;
}

function cut(text: string): string {
  return text.length > logValueCharsMax ? `${text.slice(0, logValueCharsMax)}…` : text;
}

function logfmtLine(entry: LogFields): string {
  let line = "";
  for (const name in entry) {
    const value = entry[name];
    line += `${line === "" ? "" : " "}${name}=${typeof value === "string" ? logfmtValue(cut(value)) : value}`;
  }
  return `${line}\n`;
}

// Printable text without blanks, quotes, "=" or a backslash stands bare; everything else is quoted as JSON quotes it.
const bare = /^[^\s="\\\p{C}\p{Zl}\p{Zp}\ufffd]+$/u;

function logfmtValue(text: string): string {
  return bare.test(text) ? text : quote(text);
}

function jsonLine(entry: LogFields): string {
  let line = "";
  for (const name in entry) {
    const value = entry[name];
    // JSON knows no NaN and no infinities.
    const text =
      typeof value === "boolean" || Number.isFinite(value) ? String(value) : quote(cut(String(value)));
    line += `${line === "" ? "{" : ","}${JSON.stringify(name)}:${text}`;
  }
  return `${line}}\n`;
}

// JSON leaves DEL, the C1 controls and the line and paragraph separators as they are; terminals and line readers don't.
const unsafe = /[\u007f-\u009f\u2028\u2029]/g;

function quote(text: string): string {
  return JSON.stringify(text).replace(unsafe, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
