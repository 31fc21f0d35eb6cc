// Random metrics queries of the random traces, and grids that their spans fall into, or beside.
import fc from "fast-check";
import { instantGrid, rangeGrid } from "./metrics_answer.ts";
import type { OracleGrid } from "./metrics_oracle.ts";
import { compile, filterText, queryText } from "./query_for_traces.ts";
import { names } from "./trace_arbitrary.ts";

type Text = fc.Arbitrary<string>;

const attributeName = fc
  .constantFrom(...names.attribute)
  .map((name) => (name.includes(" ") ? `"${name}"` : name));
const attribute: Text = fc
  .tuple(
    fc.constantFrom(".", "span.", "span.", "resource.", "instrumentation.", "event.", "link."),
    attributeName,
  )
  .map(([scope, name]) => scope + name);

const grouped: Text = fc.oneof(
  { weight: 3, arbitrary: attribute },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "name",
      "kind",
      "status",
      "statusMessage",
      "duration",
      "traceDuration",
      "rootName",
      "rootServiceName",
      "resource.service.name",
      ".service.name",
      "trace:id",
      "span:id",
      "span:parentID",
      "event:name",
      "event:timeSinceStart",
      "link:traceID",
      "link:spanID",
      "instrumentation:name",
      "instrumentation:version",
      "parent.a",
    ),
  },
);

const measured: Text = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "duration",
      "span.n",
      ".n",
      "span.f",
      ".f",
      "traceDuration",
      "event:timeSinceStart",
    ),
  },
  { weight: 1, arbitrary: attribute },
);

function by(attributesMax: number): Text {
  return fc.oneof(
    fc.constant(""),
    fc
      .array(grouped, { minLength: 1, maxLength: attributesMax })
      .map((attributes) => ` by (${attributes.join(", ")})`),
  );
}

const quantiles = fc.array(fc.constantFrom("0", "0.25", "0.5", ".9", "0.99", "1"), {
  minLength: 1,
  maxLength: 3,
});
const grouping: Text = fc.oneof(
  fc.tuple(fc.constantFrom("rate", "count_over_time"), by(3)).map(([name, groups]) => `${name}()${groups}`),
  fc
    .tuple(
      fc.constantFrom(
        "min_over_time",
        "max_over_time",
        "sum_over_time",
        "avg_over_time",
        "histogram_over_time",
      ),
      measured,
      by(3),
    )
    .map(([name, of, groups]) => `${name}(${of})${groups}`),
  fc
    .tuple(measured, quantiles, by(2))
    .map(([of, some, groups]) => `quantile_over_time(${of}, ${some.join(", ")})${groups}`),
);

const threshold: Text = fc
  .tuple(
    fc.constantFrom("=", "!=", "<", "<=", ">", ">="),
    fc.constantFrom("0", "1", "2.5", "-1", "10ms", "100"),
  )
  .map(([op, value]) => ` ${op} ${value}`);
const ranking: Text = fc
  .tuple(fc.constantFrom("topk", "bottomk"), fc.integer({ min: 1, max: 4 }))
  .map(([name, limit]) => ` | ${name}(${limit})`);
const secondStages: Text = fc
  .array(fc.oneof(threshold, ranking), { maxLength: 2 })
  .map((stages) => stages.join(""));

const compare: Text = fc
  .tuple(filterText, fc.constantFrom("", ", 1", ", 2", ", 10"))
  .map(([filter, rest]) => `compare(${filter}${rest})`);

/** Most filters keep few spans, and numbers want many. */
const pipeline: Text = fc.oneof(
  { weight: 2, arbitrary: queryText },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "{}",
      "{}",
      "{ kind != client }",
      "{ duration > 5ms }",
      "{} | select(.a)",
      "{} | by(name)",
      "{} | by(kind) | count() > 1",
      "{} !>> { status != error }",
      "{ .n != nil } || { .f != nil }",
    ),
  },
);

export const metricsText: Text = fc
  .tuple(
    pipeline,
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.tuple(grouping, secondStages).map(([first, seconds]) => first + seconds),
      },
      { weight: 1, arbitrary: compare },
    ),
  )
  .map(([stages, metrics]) => `${stages} | ${metrics}`)
  .filter((text) => compile(text) !== null);

const nanosPerMs = 1_000_000n;

/** @param baseMs where the first trace begins, Unix milliseconds. The others begin whole seconds later */
export function anyGrid(baseMs: number): fc.Arbitrary<OracleGrid> {
  return fc
    .record({
      from: fc.integer({ min: -30, max: 30 }),
      stepMs: fc.constantFrom(1, 7, 10, 25, 400, 1000, 60_000),
      steps: fc.integer({ min: 3, max: 40 }),
      isInstant: fc.nat(4).map((one) => one === 0),
    })
    .map(({ from, stepMs, steps, isInstant }) => {
      const start = BigInt(baseMs + from) * nanosPerMs;
      const end = start + BigInt(steps * stepMs) * nanosPerMs;
      return isInstant ? instantGrid(start, end) : rangeGrid(start, end, BigInt(stepMs) * nanosPerMs);
    });
}
