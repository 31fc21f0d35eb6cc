// Placeholders of the corpus: times relative to the run's base time, trace ids of its own, captured variables.
import { randomBytes } from "node:crypto";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const timePattern = /\{\{(s|ms|us|ns|f|rfc|rfcns)(?::([+-][0-9.]+))?\}\}/g;

export class Renderer {
  vars: Record<string, string> = {};
  private readonly salt = randomBytes(4).toString("hex");

  /** @param base unix seconds that relative times count from */
  constructor(readonly base: number) {}

  render<T extends Json>(value: T): T {
    if (typeof value === "string") return this.text(value) as T;
    if (Array.isArray(value)) return value.map((item) => this.render(item)) as T;
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [this.text(k), this.render(v)])) as T;
  }

  text(value: string): string {
    return value
      .replace(timePattern, (_, form: string, offset?: string) => this.time(form, offset ?? "0"))
      .replace(/\{\{tid:([0-9]+)\}\}/g, (_, n: string) => this.traceId(n))
      .replace(/\{\{TID:([0-9]+)\}\}/g, (_, n: string) => this.traceId(n).toUpperCase())
      .replace(/\{\{tid64:([0-9]+)\}\}/g, (_, n: string) =>
        Buffer.from(this.traceId(n), "hex").toString("base64"),
      )
      .replace(/\{\{var:([a-z]+)\}\}/g, (whole, name: string) => this.vars[name] ?? whole);
  }

  private traceId(number: string): string {
    return `a0a0${this.salt}${Number(number).toString(16).padStart(20, "0")}`;
  }

  private time(form: string, offset: string): string {
    const ns = BigInt(this.base) * 1_000_000_000n + nanoseconds(offset);
    const seconds = ns / 1_000_000_000n;
    const rest = ns % 1_000_000_000n;
    switch (form) {
      case "ns":
        return String(ns);
      case "us":
        return String(ns / 1000n);
      case "ms":
        return String(ns / 1_000_000n);
      case "s":
        return String(seconds);
      case "f":
        return `${seconds}.${String(rest / 1_000_000n).padStart(3, "0")}`;
      default: {
        const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
        return form === "rfcns" ? `${text}.${String(rest).padStart(9, "0")}Z` : `${text}Z`;
      }
    }
  }
}

// "+5.000000001" in nanoseconds, exactly.
function nanoseconds(offset: string): bigint {
  const negative = offset.startsWith("-");
  const [whole = "0", fraction = ""] = offset.replace(/^[+-]/, "").split(".");
  const ns = BigInt(whole || "0") * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"));
  return negative ? -ns : ns;
}
