// The searches that are measured, over the spans of the load generator, each with the bar that was set for it and what
// Tempo 3.0.3 took on the same machine and data.
import { Request } from "./load/request.ts";
import { loadDefaults, templatesMin } from "./load/run.ts";
import { spansPerTrace } from "./load/shop.ts";
import { list, type MeasuredQuery } from "./measure_queries.ts";

/** Enough for every match of the queries that are to have few. */
const limitOfFew = "1000";

/** @param seed of the load generator's ids, which its values follow */
export function searchQueries(seed: number): MeasuredQuery[] {
  const generic = { bar: "≤ 60", tempo: "260–575" };
  const regex = { bar: "≤ 40", tempo: "22–207" };
  return [
    search("{ status = error }", { limit: "20" }, { bar: "≤ 5", tempo: "9–55" }),
    search(
      '{ resource.service.name = "cart" && span.http.status_code >= 500 }',
      { limit: "20" },
      { bar: "≤ 8", tempo: "11–79" },
    ),
    search(`{ span.user.id = "${rarestUser(seed)}" }`, { limit: limitOfFew }, generic),
    search('{ span.user.id = "nobody" }', { limit: "20" }, generic),
    search('{ span.no.such.key = "x" }', { limit: "20" }, generic),
    search('{ span.http.url =~ ".*op7.*" }', { limit: "20" }, regex),
    search('{ span.http.url =~ ".*op11\\\\?id=10012.*" }', { limit: limitOfFew }, regex),
    search(
      '{ resource.service.name = "frontend" } >> { status = error }',
      { limit: "1000" },
      { bar: "≤ 50", tempo: "400–460" },
    ),
    search("{ status = error } | count() > 6", { limit: "20" }, { bar: "≤ 30", tempo: "130–220" }),
    {
      name: "tag names",
      path: "/api/v2/search/tags",
      parameters: {},
      found: (answer) => String(list(answer, "scopes").flatMap((scope) => list(scope, "tags")).length),
      bar: "≤ 10",
      tempo: "18–111",
    },
    values("resource.service.name"),
    values("span.user.id"),
  ];
}

type Yardstick = Pick<MeasuredQuery, "bar" | "tempo">;

function search(q: string, parameters: Record<string, string>, yardstick: Yardstick): MeasuredQuery {
  const name = `${q}, limit ${parameters.limit}`;
  const found = (answer: unknown) => String(list(answer, "traces").length);
  return { name, path: "/api/search", parameters: { q, ...parameters }, found, ...yardstick };
}

function values(tag: string): MeasuredQuery {
  return {
    name: `values of ${tag}`,
    path: `/api/v2/search/tag/${tag}/values`,
    parameters: {},
    found: (answer) => String(list(answer, "tagValues").length),
    bar: "≤ 3",
    tempo: "3–5",
  };
}

/** The user that the fewest spans have: of thirty-two thousand that are sent over and over, one. */
function rarestUser(seed: number): string {
  const counts = new Map<string, number>();
  const traces = loadDefaults.spansPerRequest / spansPerTrace;
  for (let template = 0; template < templatesMin; template++) {
    const request = new Request(seed, template, traces, () => new Uint8Array(0), false);
    for (const [user] of Buffer.from(request.message())
      .toString("latin1")
      .matchAll(/user-\d+/g)) {
      counts.set(user, (counts.get(user) ?? 0) + 1);
    }
  }
  return [...counts].reduce((rarest, entry) => (entry[1] < rarest[1] ? entry : rarest))[0];
}
