// The configuration as YAML, for /status/config: what is in force, what differs from the defaults, or the defaults.
import { isDeepStrictEqual } from "node:util";
import type { Config } from "./config.ts";
import { defaultConfig } from "./defaults.ts";
import { type AnyTable, isKey, type Key } from "./key.ts";
import { anyTable } from "./table.ts";

export type PrintMode = "full" | "diff" | "defaults";

/** How Tempo shows a secret that is set. */
const stars = "********";

type Values = Readonly<Record<string, unknown>>;

/**
 * Gives `---` and the YAML of a configuration, with Tempo's names, Go's durations and secrets as stars.
 *
 * @param mode `diff` leaves out what has its default, `defaults` shows those instead of this configuration
 */
export function printConfig(config: Config, mode: PrintMode): string {
  const defaults = defaultConfig();
  const lines = printSection(
    anyTable,
    (mode === "defaults" ? defaults : config) as unknown as Values,
    mode === "diff" ? (defaults as unknown as Values) : undefined,
    "",
  );
  return `---\n${lines.length === 0 ? "{}" : lines.join("\n")}\n`;
}

function printSection(table: AnyTable, values: Values, base: Values | undefined, indent: string): string[] {
  const lines: string[] = [];
  for (const [name, entry] of Object.entries(table)) {
    const value = values[name];
    const initial = base?.[name];
    if (value === null) continue; // a receiver's protocol that does not listen
    if (base !== undefined && isDeepStrictEqual(value, initial)) continue;
    if (isKey(entry)) {
      lines.push(...printKey(name, entry, value, indent));
      continue;
    }
    // Which protocols are named says which ones listen, so they are shown all or not at all.
    const inner = printSection(
      entry,
      value as Values,
      name === "protocols" ? undefined : (initial as Values | undefined),
      `${indent}  `,
    );
    if (inner.length > 0) lines.push(`${indent}${name}:`, ...inner);
    else lines.push(`${indent}${name}: {}`);
  }
  return lines;
}

function printKey(name: string, key: Key<unknown>, value: unknown, indent: string): string[] {
  const start = `${indent}${name}:`;
  if (key.secret) return [`${start} ${value === "" ? '""' : `"${stars}"`}`];
  if (key.print !== undefined) return [`${start} ${key.print(value)}`];
  if (Array.isArray(value)) {
    if (value.length === 0) return [`${start} []`];
    return [start, ...value.flatMap((item) => printItem(item as Values, indent))];
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    if (entries.length === 0) return [`${start} {}`];
    return [
      start,
      ...entries.map(([label, text]) => `${indent}  ${printText(label)}: ${printText(String(text))}`),
    ];
  }
  return [`${start} ${typeof value === "string" ? printText(value) : value}`];
}

/** A mapping as an element of a list; its values are texts and lists of words. */
function printItem(item: Values, indent: string): string[] {
  return Object.entries(item).map(([name, value], index) => {
    const text = Array.isArray(value) ? `[${value.join(", ")}]` : printText(String(value));
    return `${indent}${index === 0 ? "- " : "  "}${name}: ${text}`;
  });
}

/** A text as YAML: plain where every reader takes it for a text, else in double quotes. */
function printText(text: string): string {
  const plain = /^(?:[A-Za-z_./][\w./:@%+-]*|\d+\.\d+\.\d+\.\d+:\d+)$/.test(text) && !text.endsWith(":");
  const special = /^(?:true|false|yes|no|on|off|y|n|null|~|\.(?:inf|nan)|\.\d.*)$/i.test(text);
  return plain && !special ? text : JSON.stringify(text);
}
