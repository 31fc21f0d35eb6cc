// The metrics function that ends a pipeline, and the stages that work on its series.

import type {
  Attribute,
  FieldOverTimeName,
  MetricsFunction,
  MetricsStage,
  OrderOp,
  SecondStage,
} from "./ast.ts";
import { parseAttribute, parseAttributeList } from "./parse_attribute.ts";
import { parseInteger, parseSignedNumber, takeNumber } from "./parse_literal.ts";
import { orderOps, parseFilter } from "./parse_pipeline.ts";
import type { TokenStream } from "./token_stream.ts";

const topNDefault = 10n;

const fieldFunctions: ReadonlySet<string> = new Set<FieldOverTimeName>([
  "min_over_time",
  "max_over_time",
  "avg_over_time",
  "sum_over_time",
  "histogram_over_time",
]);

/** The metrics function that is next and what follows it, or null if something else is next. */
export function takeMetrics(tokens: TokenStream): MetricsStage | null {
  const { position } = tokens.peek();
  const call = takeFunction(tokens);
  if (call === null) return null;
  const secondStages: SecondStage[] = [];
  for (let stage = takeSecondStage(tokens); stage !== null; stage = takeSecondStage(tokens)) {
    secondStages.push(stage);
  }
  return tokens.made({ kind: "metrics", function: call, secondStages, position }, call);
}

function takeFunction(tokens: TokenStream): MetricsFunction | null {
  const { type, text, position } = tokens.peek();
  if (type !== "word") return null;
  if (text === "rate" || text === "count_over_time") {
    tokens.next();
    tokens.expect("(");
    tokens.expect(")");
    return tokens.made({ kind: "countOverTime", function: text, by: parseBy(tokens), position });
  }
  if (fieldFunctions.has(text)) {
    tokens.next();
    tokens.expect("(");
    const attribute = parseAttribute(tokens);
    tokens.expect(")");
    const by = parseBy(tokens);
    return tokens.made({
      kind: "fieldOverTime",
      function: text as FieldOverTimeName,
      attribute,
      by,
      position,
    });
  }
  if (text === "quantile_over_time") {
    tokens.next();
    tokens.expect("(");
    const attribute = parseAttribute(tokens);
    const quantiles: number[] = [];
    tokens.expect(",");
    do quantiles.push(parseQuantile(tokens));
    while (tokens.take(","));
    tokens.expect(")", '"," or ")"');
    return tokens.made({ kind: "quantileOverTime", attribute, quantiles, by: parseBy(tokens), position });
  }
  return text === "compare" ? parseCompare(tokens) : null;
}

function parseQuantile(tokens: TokenStream): number {
  if (tokens.peek().type === "duration") throw tokens.unexpected("a number");
  const number = takeNumber(tokens);
  if (number === null) throw tokens.unexpected("a number");
  return Number(number.value);
}

function parseCompare(tokens: TokenStream): MetricsFunction {
  const { position } = tokens.next();
  tokens.expect("(");
  const selection = parseFilter(tokens);
  let topN = topNDefault;
  let window: { start: bigint; end: bigint } | null = null;
  if (tokens.take(",")) {
    topN = parseInteger(tokens);
    if (tokens.take(",")) {
      const start = parseInteger(tokens);
      tokens.expect(",");
      window = { start, end: parseInteger(tokens) };
    }
  }
  tokens.expect(")", window === null ? '"," or ")"' : '")"');
  return tokens.made({ kind: "compare", selection, topN, window, position }, selection);
}

function parseBy(tokens: TokenStream): Attribute[] {
  return tokens.takeWord("by") ? parseAttributeList(tokens) : [];
}

function takeSecondStage(tokens: TokenStream): SecondStage | null {
  const { type, text, position } = tokens.peek();
  if (type !== "operator") return null;
  if (orderOps.has(text)) {
    tokens.next();
    const value = parseSignedNumber(tokens);
    return tokens.made({ kind: "threshold", op: text as OrderOp, value, position });
  }
  if (!tokens.take("|")) return null;
  const call = tokens.peek();
  const isTop = tokens.takeWord("topk");
  if (!isTop && !tokens.takeWord("bottomk")) throw tokens.unexpected("topk or bottomk");
  tokens.expect("(");
  const limit = parseInteger(tokens);
  tokens.expect(")");
  const name = isTop ? "topk" : "bottomk";
  return tokens.made({ kind: "ranking", function: name, limit, position: call.position });
}
