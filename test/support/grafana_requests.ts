// Requests as Grafana's plugin sends them, with the checks that it makes of every answer.
import { expect } from "bun:test";
import { strictProblems } from "../conformance/grafana_checks.ts";
import type { MetricsJson } from "../conformance/metrics_checks.ts";
import type { Json } from "../conformance/placeholders.ts";
import type { SearchJson } from "../conformance/semantic_checks.ts";
import { instantProblems } from "./grafana_series.ts";
import type { HttpAnswer } from "./http.ts";
import type { Rubato } from "./rubato.ts";

export type Params = Record<string, string>;

export function grafanaGet(server: Rubato, path: string, accept = "application/json"): Promise<HttpAnswer> {
  return server.request({
    path,
    headers: { Accept: accept, "User-Agent": "Grafana/13.1.0", "Accept-Encoding": "gzip" },
  });
}

export async function grafanaSearch(server: Rubato, q: string, params: Params): Promise<SearchJson> {
  const body = (await getJson(server, "/api/search", { q, ...params })) as SearchJson;
  expect(strictProblems(body as unknown as Json)).toEqual([]);
  return body;
}

export async function grafanaRange(server: Rubato, q: string, params: Params): Promise<MetricsJson> {
  return (await getJson(server, "/api/metrics/query_range", { q, ...params })) as MetricsJson;
}

export async function grafanaInstant(server: Rubato, q: string, params: Params): Promise<MetricsJson> {
  const body = (await getJson(server, "/api/metrics/query", { q, ...params })) as MetricsJson;
  expect(instantProblems(body)).toEqual([]);
  return body;
}

async function getJson(server: Rubato, path: string, params: Params): Promise<unknown> {
  const answer = await grafanaGet(server, `${path}?${new URLSearchParams(params)}`);
  expect([params.q, answer.status, answer.status === 200 ? "" : answer.text()]).toEqual([params.q, 200, ""]);
  expect(answer.header("content-type")).toBe("application/json");
  return JSON.parse(answer.text());
}
