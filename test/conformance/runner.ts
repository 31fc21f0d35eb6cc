// Runs the cases of the HTTP corpus against a server. The format of the cases is described beside the corpus.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync, gzipSync } from "node:zlib";
import { type HttpAnswer, http } from "../support/http.ts";
import { Matcher, Mismatch, pattern } from "./matcher.ts";
import type { Json, Renderer } from "./placeholders.ts";
import { decodeProto } from "./proto_reader.ts";
import { Fixture, flatten } from "./traces.ts";

export type Phase = "recent" | "flushed";

interface Request {
  target?: "http" | "otlp";
  method?: string;
  path: string;
  params?: Record<string, string> | [string, string][];
  rawQuery?: string;
  headers?: Record<string, string>;
  json?: Json;
  text?: string;
  base64?: string;
  hex?: string;
  repeat?: { before?: string; text: string; count: number; after?: string };
  encode?: "gzip" | "deflate" | "zlib";
}

interface Expectation {
  status?: number | number[];
  headers?: Record<string, Json>;
  text?: Json;
  body?: string;
  notBody?: string;
  json?: Json;
  proto?: { message: string; match: Json };
  capture?: Record<string, string>;
}

interface Step {
  request: Request;
  expect: Expectation;
  within?: number; // seconds
}

export interface Case extends Step {
  id: string;
  endpoint: string;
  note?: string;
  phases?: Phase[];
  steps?: Step[];
}

export interface CaseFile {
  name: string;
  config: string;
  fixture?: string;
  order?: number;
  phases?: Phase[];
  cases: Case[];
}

export function loadCases(folder: string, name: string): CaseFile {
  const file = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as CaseFile;
  return { ...file, name, fixture: file.fixture === undefined ? undefined : join(folder, file.fixture) };
}

export interface Targets {
  http: number;
  otlp: number;
}

export class Runner {
  constructor(
    private readonly ports: Targets,
    private readonly renderer: Renderer,
  ) {}

  fixture(path: string): Fixture {
    return new Fixture(path, this.renderer);
  }

  async push(fixture: Fixture): Promise<void> {
    for (const { headers = {}, body } of fixture.pushes) {
      const answer = await http(this.ports.otlp, {
        method: "POST",
        path: "/v1/traces",
        headers: { "Content-Type": "application/json", ...headers },
        body: Buffer.from(JSON.stringify(body)),
      });
      if (answer.status !== 200)
        throw new Error(`push of a fixture: status ${answer.status} ${answer.text()}`);
    }
  }

  /** Whether every fixture trace is whole: in memory or in blocks, or in blocks alone. */
  async stored(fixture: Fixture, mode: "all" | "blocks"): Promise<boolean> {
    for (const [label, id] of Object.entries(fixture.traces)) {
      const tenant = fixture.tenants[label];
      const answer = await http(this.ports.http, {
        path: `/querier/api/v2/traces/${id}?mode=${mode}`,
        headers: { Accept: "application/json", ...(tenant === undefined ? {} : { "X-Scope-OrgID": tenant }) },
      });
      if (answer.status !== 200) return false;
      const body = JSON.parse(answer.text()) as { trace?: { resourceSpans?: Json } };
      if (flatten(body.trace?.resourceSpans ?? []).length < fixture.expected(label).length) return false;
    }
    return true;
  }

  async run(one: Case, fixture: Fixture | null): Promise<void> {
    this.renderer.vars = {};
    for (const step of one.steps ?? [one]) {
      const deadline = performance.now() + (step.within ?? 0) * 1000;
      for (;;) {
        try {
          await this.step(step, fixture);
          break;
        } catch (error) {
          if (performance.now() >= deadline) throw error;
          await new Promise((resolve) => setTimeout(resolve, 200));
        }
      }
    }
  }

  private async step(step: Step, fixture: Fixture | null): Promise<void> {
    const request = this.renderer.render(step.request as unknown as Json) as unknown as Request;
    const expect = this.renderer.render(step.expect as unknown as Json) as unknown as Expectation;
    const headers = { ...request.headers };
    if (
      request.json !== undefined &&
      !Object.keys(headers).some((name) => name.toLowerCase() === "content-type")
    ) {
      headers["Content-Type"] = "application/json";
    }
    const answer = await http(this.ports[request.target ?? "http"], {
      method: request.method,
      path: target(request),
      headers,
      body: body(request),
    });
    this.check(expect, answer, fixture);
  }

  private check(expect: Expectation, answer: HttpAnswer, fixture: Fixture | null): void {
    const matcher = new Matcher(fixture);
    const statuses = [expect.status ?? 200].flat();
    if (!statuses.includes(answer.status)) {
      throw new Mismatch(`status: expected ${statuses}, got ${answer.status} ${answer.text().slice(0, 300)}`);
    }
    for (const [name, rule] of Object.entries(expect.headers ?? {})) {
      matcher.match(
        typeof rule === "string" ? { $regex: rule } : rule,
        answer.header(name),
        `header ${name}`,
      );
    }
    const text = answer.text();
    if (expect.body !== undefined && !pattern(expect.body, false).test(text)) {
      throw new Mismatch(`body: expected /${expect.body}/, got ${text.slice(0, 600)}`);
    }
    if (expect.notBody !== undefined && pattern(expect.notBody, false).test(text)) {
      throw new Mismatch(`body: did not expect /${expect.notBody}/`);
    }
    if (expect.text !== undefined) matcher.match(expect.text, text, "body");
    if (expect.json !== undefined) matcher.match(expect.json, parse(text), "$");
    if (expect.proto !== undefined) {
      matcher.match(expect.proto.match, decodeProto(expect.proto.message, answer.body), "$");
    }
    for (const [name, source] of Object.entries(expect.capture ?? {})) {
      this.renderer.vars[name] = answer.header(source.slice(source.indexOf(" ") + 1)) ?? "";
    }
  }
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new Mismatch(`body is not JSON (${error}): ${text.slice(0, 300)}`);
  }
}

function target({ path, params, rawQuery }: Request): string {
  if (params !== undefined) {
    const pairs = Array.isArray(params) ? params : Object.entries(params);
    return `${path}?${pairs.map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(v)}`).join("&")}`;
  }
  return rawQuery === undefined ? path : `${path}?${rawQuery}`;
}

function body(request: Request): Uint8Array | undefined {
  const plain = plainBody(request);
  if (plain === undefined || request.encode === undefined) return plain;
  return request.encode === "gzip" ? gzipSync(plain) : deflateSync(plain);
}

function plainBody({ json, text, base64, hex, repeat }: Request): Uint8Array | undefined {
  if (json !== undefined) return Buffer.from(JSON.stringify(json));
  if (text !== undefined) return Buffer.from(text);
  if (base64 !== undefined) return Buffer.from(base64, "base64");
  if (hex !== undefined) return Buffer.from(hex, "hex");
  if (repeat === undefined) return undefined;
  const { before = "", after = "" } = repeat;
  return Buffer.concat([
    Buffer.from(before),
    Buffer.alloc(repeat.text.length * repeat.count, repeat.text),
    Buffer.from(after),
  ]);
}
