import { expect, test } from "bun:test";
import { Hono } from "hono";
import { Registry } from "./metrics.ts";
import { measureRequests, observeRpc, requestDuration, routeLabel } from "./request_metrics.ts";

test("routeLabel() replaces what is no letter or digit", () => {
  const labels: [string, string][] = [
    ["/api/search", "api_search"],
    ["/api/v2/traces/:traceID", "api_v2_traces_traceid"],
    ["/api/search/tag/:name{.+}/values", "api_search_tag_name_values"],
    ["/api/traces/{traceID}", "api_traces_traceid"],
    ["/status/usage-stats", "status_usage_stats"],
    ["/", "root"],
  ];
  for (const [path, label] of labels) expect(routeLabel(path)).toBe(label);
});

test("measureRequests() counts by method, route and status; whatever a client makes up is other", async () => {
  const registry = new Registry();
  const app = new Hono();
  app.use(measureRequests(registry));
  app.onError((_, c) => c.text("broken", 500));
  app.get("/api/traces/:traceID", (c) => c.text("no", 404));
  app.get("/status/version", (c) => c.text("version"));
  app.get("/status/:section", (c) => c.text("no", 404));
  app.get("/fails", () => {
    throw new Error("broken");
  });
  for (const id of ["a", "b", "c"]) await app.request(`/api/traces/${id}`);
  await app.request("/fails");
  await app.request("/status/version");
  for (let i = 0; i < 20; i++) await app.request(`/made/up/${i}`, { method: i === 0 ? "PROPFIND" : "POST" });
  const counts = (await registry.render())
    .split("\n")
    .filter((line) => line.startsWith("tempo_request_duration_seconds_count"));
  expect(counts.map((line) => line.slice("tempo_request_duration_seconds_count".length))).toEqual([
    '{method="GET",route="api_traces_traceid",status_code="404",ws="false"} 3',
    '{method="GET",route="fails",status_code="500",ws="false"} 1',
    '{method="GET",route="status_version",status_code="200",ws="false"} 1',
    '{method="other",route="other",status_code="404",ws="false"} 1',
    '{method="POST",route="other",status_code="404",ws="false"} 19',
  ]);
});

test("observeRpc() labels calls as Tempo does", async () => {
  const registry = new Registry();
  observeRpc(requestDuration(registry), "/tempopb.StreamingQuerier/Search", "success", 0.3);
  expect(await registry.render()).toContain(
    'tempo_request_duration_seconds_bucket{method="gRPC",route="/tempopb.StreamingQuerier/Search",status_code="success",ws="false",le="0.5"} 1\n',
  );
});
