// Random syntax trees of every shape that a query can have, for property tests.

import fc from "fast-check";
import type {
  Aggregate,
  Attribute,
  FieldExpression,
  Literal,
  Numeric,
  Query,
  ScalarExpression,
  SpansetExpression,
  Stage,
} from "./ast.ts";
import { intrinsicTypes } from "./intrinsics.ts";

const position = { offset: 0, line: 1, column: 1 };
const int64Max = 2n ** 63n - 1n;

const unsigned = fc.bigInt({ min: 0n, max: int64Max });
const float = fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }).map(Math.abs);
const numeric: fc.Arbitrary<Numeric> = fc.oneof(
  fc.record({
    kind: fc.constant("literal"),
    type: fc.constant("int"),
    value: unsigned,
    position: fc.constant(position),
  }),
  fc.record({
    kind: fc.constant("literal"),
    type: fc.constant("float"),
    value: float,
    position: fc.constant(position),
  }),
  fc.record({
    kind: fc.constant("literal"),
    type: fc.constant("duration"),
    value: unsigned,
    position: fc.constant(position),
  }),
) as fc.Arbitrary<Numeric>;
const signed: fc.Arbitrary<Numeric> = fc.tuple(numeric, fc.boolean()).map(([number, negative]) => {
  if (!negative) return number;
  if (number.type === "float") return { ...number, value: -number.value };
  return { ...number, value: -number.value };
});
const text = fc.string({ unit: "binary", maxLength: 12 });

function literalOf(type: string, value: fc.Arbitrary<unknown>): fc.Arbitrary<Literal> {
  return value.map((of) => ({ kind: "literal", type, value: of, position }) as Literal);
}
const literal: fc.Arbitrary<Literal> = fc.oneof(
  numeric,
  literalOf("int", fc.constantFrom(-int64Max - 1n, int64Max)),
  literalOf("string", text),
  literalOf("bool", fc.boolean()),
  literalOf("status", fc.constantFrom("ok", "error", "unset")),
  literalOf("kind", fc.constantFrom("unspecified", "internal", "server", "client", "producer", "consumer")),
);

const name = fc.oneof(
  fc.constantFrom(
    "a",
    "http.status",
    "span.x",
    "resource.x",
    "1a",
    "a b",
    'q"\\',
    "",
    "a-b",
    "a/*",
    "😀",
    ".x",
    "duration",
  ),
  text,
);
const attribute: fc.Arbitrary<Attribute> = fc.oneof(
  fc
    .record({
      parent: fc.boolean(),
      scope: fc.constantFrom("none", "span", "resource", "event", "link", "instrumentation"),
      name,
    })
    .filter(({ parent, scope }) => !parent || scope === "none" || scope === "span" || scope === "resource")
    .map((field) => ({ kind: "attribute", ...field, position }) as Attribute),
  fc
    .constantFrom(...(Object.keys(intrinsicTypes) as (keyof typeof intrinsicTypes)[]))
    .map((of) => ({ kind: "intrinsic", name: of, position }) as Attribute),
);

const order = fc.constantFrom("=", "!=", "<", "<=", ">", ">=");
const arithmetic = fc.constantFrom("+", "-", "*", "/", "%", "^");

export const fieldExpression: fc.Arbitrary<FieldExpression> = fc.letrec<{ node: FieldExpression }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    literal,
    attribute,
    fc
      .tuple(fc.constantFrom("-", "!"), tie("node"))
      .map(([op, operand]) => ({ kind: "unary", op, operand, position }) as FieldExpression),
    fc
      .tuple(arithmetic, tie("node"), tie("node"))
      .map(([op, left, right]) => ({ kind: "arithmetic", op, left, right, position }) as FieldExpression),
    fc
      .tuple(fc.oneof(order, fc.constantFrom("=~", "!~")), tie("node"), tie("node"))
      .map(([op, left, right]) => ({ kind: "comparison", op, left, right, position }) as FieldExpression),
    fc
      .tuple(fc.boolean(), tie("node"))
      .map(([exists, operand]) => ({ kind: "existence", exists, operand, position }) as FieldExpression),
    fc
      .tuple(
        fc.constantFrom("&&" as const, "||" as const),
        fc.array(tie("node"), { minLength: 2, maxLength: 4 }),
      )
      .filter(([op, [first]]) => first?.kind !== "logical" || first.op !== op)
      .map(([op, operands]) => ({ kind: "logical", op, operands, position }) as FieldExpression),
  ),
})).node;

const filter = fieldExpression.map(
  (expression) => ({ kind: "filter", expression, position }) as Stage & { kind: "filter" },
);
const structural = [">", ">>", "<", "<<", "~"];
const spansetOp = fc.constantFrom(
  "&&",
  "||",
  ...structural,
  ...structural.map((op) => `!${op}`),
  ...structural.map((op) => `&${op}`),
);

/** Of filters only, as it may stand between pipes. */
const plainSpanset: fc.Arbitrary<SpansetExpression & Stage> = fc.letrec<{ node: SpansetExpression & Stage }>(
  (tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      filter,
      fc
        .tuple(spansetOp, tie("node"), tie("node"))
        .map(
          ([op, left, right]) =>
            ({ kind: "operation", op, left, right, position }) as SpansetExpression & Stage,
        ),
    ),
  }),
).node;

const aggregate: fc.Arbitrary<Aggregate> = fc.oneof(
  fc.constant({ kind: "aggregate", function: "count", position } as Aggregate),
  fc
    .tuple(fc.constantFrom("min", "max", "avg", "sum"), fieldExpression)
    .map(([of, operand]) => ({ kind: "aggregate", function: of, operand, position }) as Aggregate),
);

const stages = fc.letrec<{ stage: Stage; pipeline: Stage[]; scalar: ScalarExpression }>((tie) => ({
  scalar: fc.oneof(
    { maxDepth: 3 },
    aggregate,
    signed as fc.Arbitrary<ScalarExpression>,
    fc
      .tuple(arithmetic, tie("scalar"), tie("scalar"))
      .map(
        ([op, left, right]) => ({ kind: "scalarOperation", op, left, right, position }) as ScalarExpression,
      ),
    fc
      .tuple(tie("pipeline"), aggregate)
      .map(
        ([of, last]) =>
          ({ kind: "scalarPipeline", stages: of, aggregate: last, position }) as ScalarExpression,
      ),
  ),
  stage: fc.oneof(
    { maxDepth: 3 },
    plainSpanset as fc.Arbitrary<Stage>,
    fieldExpression.map((expression) => ({ kind: "group", expression, position }) as Stage),
    fc
      .array(attribute, { minLength: 1, maxLength: 3 })
      .map((attributes) => ({ kind: "select", attributes, position }) as Stage),
    fc.constant({ kind: "coalesce", position } as Stage),
    fc
      .tuple(order, tie("scalar"), tie("scalar"))
      .map(([op, left, right]) => ({ kind: "scalarFilter", op, left, right, position }) as Stage),
  ),
  pipeline: fc
    .array(tie("stage"), { minLength: 1, maxLength: 3 })
    .filter(([first]) => first?.kind !== "coalesce"),
}));

/** With pipelines in brackets as operands. */
const wrappedSpanset: fc.Arbitrary<SpansetExpression> = fc.letrec<{ node: SpansetExpression }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 2 },
    stages.pipeline
      .filter((of) => of.length > 1 || (of[0]!.kind !== "filter" && of[0]!.kind !== "operation"))
      .map((of) => ({ kind: "pipeline", stages: of, position }) as SpansetExpression),
    plainSpanset,
    fc
      .tuple(spansetOp, tie("node"), tie("node"))
      .map(([op, left, right]) => ({ kind: "operation", op, left, right, position }) as SpansetExpression),
  ),
})).node;

const by = fc.array(attribute, { maxLength: 3 });
const metrics = fc
  .tuple(
    fc.oneof(
      fc.record({
        kind: fc.constant("countOverTime"),
        function: fc.constantFrom("rate", "count_over_time"),
        by,
      }),
      fc.record({
        kind: fc.constant("fieldOverTime"),
        function: fc.constantFrom(
          "min_over_time",
          "max_over_time",
          "avg_over_time",
          "sum_over_time",
          "histogram_over_time",
        ),
        attribute,
        by,
      }),
      fc.record({
        kind: fc.constant("quantileOverTime"),
        attribute,
        quantiles: fc.array(float, { minLength: 1, maxLength: 3 }),
        by,
      }),
      fc.record({
        kind: fc.constant("compare"),
        selection: filter,
        topN: unsigned,
        window: fc.option(fc.record({ start: unsigned, end: unsigned })),
      }),
    ),
    fc.array(
      fc.oneof(
        fc.record({
          kind: fc.constant("ranking"),
          function: fc.constantFrom("topk", "bottomk"),
          limit: unsigned,
          position: fc.constant(position),
        }),
        fc.record({
          kind: fc.constant("threshold"),
          op: order,
          value: signed,
          position: fc.constant(position),
        }),
      ),
      { maxLength: 3 },
    ),
  )
  .map(([call, secondStages]) => ({
    kind: "metrics",
    function: { ...call, position },
    secondStages,
    position,
  }));

const hints = fc.array(
  fc.record({
    kind: fc.constant("hint"),
    name: fc.constantFrom("a", "most_recent", "sample", "_x", "minInt", "héllo"),
    value: literal,
    position: fc.constant(position),
  }),
  { maxLength: 2 },
);

export const query: fc.Arbitrary<Query> = fc
  .oneof(
    fc.record({ stages: stages.pipeline, metrics: fc.option(metrics), hints }),
    fc.record({
      stages: wrappedSpanset.filter((node) => node.kind !== "pipeline").map((node) => [node]),
      metrics: fc.constant(null),
      hints,
    }),
  )
  .map((of) => ({ kind: "query", ...of, position }) as Query);
