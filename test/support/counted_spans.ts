// What a metrics query counts, as one number.
import { expect } from "bun:test";
import type { Rubato } from "./rubato.ts";

/** @param range unix seconds; the last quarter of an hour if it is not given. @throws where the answer is an error */
export async function countedSpans(
  server: Rubato,
  query: string,
  range?: { start: number; end: number },
): Promise<number> {
  const now = Math.floor(Date.now() / 1000) + 5;
  const { start, end } = range ?? { start: now - 900, end: now };
  const params = new URLSearchParams({ q: query, start: String(start), end: String(end) });
  const { status, body } = await server.request(`/api/metrics/query?${params}`);
  expect({ status, body: status === 200 ? "" : body.toString() }).toEqual({ status: 200, body: "" });
  const { series } = JSON.parse(body.toString()) as { series: { value?: number }[] };
  return series.reduce((sum, { value = 0 }) => sum + value, 0);
}
