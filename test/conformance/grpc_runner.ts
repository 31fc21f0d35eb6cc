// Runs the streaming cases of the HTTP corpus. The format of the cases is described beside the corpus.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { GrpcAnswer, GrpcQuestion, StreamingClient } from "./grpc_calls.ts";
import { Matcher, Mismatch } from "./matcher.ts";
import type { Json, Renderer } from "./placeholders.ts";
import type { Phase } from "./runner.ts";
import { canonical } from "./traces.ts";

type JsonObject = { [key: string]: Json };

interface Expectation {
  code?: number | number[];
  details?: Json;
  messages?: { min?: number; max?: number };
  each?: Json;
  final?: Json;
  union?: { path: string; key?: string; match: Json };
}

interface GrpcCase {
  id: string;
  endpoint: string;
  note?: string;
  phases?: Phase[];
  request: GrpcQuestion;
  expect: Expectation;
}

export interface GrpcCaseFile {
  fixture?: string;
  phases?: Phase[];
  cases: GrpcCase[];
}

export function loadGrpcCases(folder: string, name: string): GrpcCaseFile {
  const file = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as GrpcCaseFile;
  return { ...file, fixture: file.fixture === undefined ? undefined : join(folder, file.fixture) };
}

export async function runGrpcCase(one: GrpcCase, client: StreamingClient, renderer: Renderer): Promise<void> {
  const request = renderer.render(one.request as unknown as Json) as unknown as GrpcQuestion;
  const expect = renderer.render(one.expect as unknown as Json) as unknown as Expectation;
  check(expect, await client.call(request));
}

function check(expect: Expectation, { code, details, messages }: GrpcAnswer): void {
  const matcher = new Matcher(null);
  const codes = [expect.code ?? 0].flat();
  if (!codes.includes(code)) throw new Mismatch(`status: expected code ${codes}, got ${code} ${details}`);
  if (expect.details !== undefined) matcher.match(expect.details, details, "details");
  const { min = 0, max = Number.POSITIVE_INFINITY } = expect.messages ?? {};
  if (messages.length < min || messages.length > max) throw new Mismatch(`${messages.length} messages`);
  for (const [i, message] of messages.entries()) {
    if (expect.each !== undefined) matcher.match(expect.each, message, `message ${i}`);
  }
  if (expect.final !== undefined) matcher.match(expect.final, messages.at(-1), "final");
  if (expect.union !== undefined) {
    const { path, match } = expect.union;
    matcher.match(match, union(messages, expect.union), `union of ${path}`);
  }
}

/** The elements of a list over all messages; a later one replaces one with the same key. */
function union(messages: JsonObject[], { path, key }: { path: string; key?: string }): Json[] {
  const elements = new Map<string, Json>();
  for (const message of messages) {
    for (const element of (message[path] ?? []) as JsonObject[]) {
      elements.set(canonical(key === undefined ? element : (element[key] ?? null)), element);
    }
  }
  return [...elements.values()];
}
