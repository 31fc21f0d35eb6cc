// Random queries that ask of what the random traces have: its attributes and values, in every form of the language.
import fc from "fast-check";
import { parse, type Query, rewrite, validate } from "../../src/traceql/index.ts";
import { ints, names, texts } from "./trace_arbitrary.ts";

type Text = fc.Arbitrary<string>;

function join(...parts: (string | Text)[]): Text {
  return fc
    .tuple(...parts.map((part) => (typeof part === "string" ? fc.constant(part) : part)))
    .map((all) => all.join(""));
}

const quoted = (of: readonly string[]): Text => fc.constantFrom(...of).map((text) => JSON.stringify(text));

const attributeName = fc
  .constantFrom(...names.attribute)
  .map((name) => (name.includes(" ") ? `"${name}"` : name));
const scopes = [".", ".", "span.", "span.", "span.", "resource.", "event.", "link.", "instrumentation."];
const attribute = join(fc.constantFrom(...scopes), attributeName);
/** Of which a span has one value. */
const single = join(fc.constantFrom(".", "span.", "span.", "resource.", "instrumentation."), attributeName);

const stringLiteral = quoted(texts);
const intLiteral = fc.constantFrom(...ints).map(String);
const floatLiteral = fc.constantFrom("0.5", "1.0", "2.5", "-1.5");
const boolLiteral = fc.constantFrom("true", "false");
const pattern = quoted(["x.*", ".*", "x|y", "GET", "", "(?i)get", "[xy]+", "^x"]);
const equality = fc.constantFrom(" = ", " != ");
const order = fc.constantFrom(" = ", " != ", " < ", " <= ", " > ", " >= ");
const match = fc.constantFrom(" =~ ", " !~ ");

function comparison(left: Text, op: Text, right: Text): Text {
  return fc.oneof(
    { weight: 5, arbitrary: join(left, op, right) },
    { weight: 1, arbitrary: join(right, op, left) },
  );
}

const condition: Text = fc.oneof(
  { weight: 4, arbitrary: comparison(attribute, order, stringLiteral) },
  { weight: 3, arbitrary: join(attribute, match, pattern) },
  { weight: 4, arbitrary: comparison(attribute, order, intLiteral) },
  { weight: 2, arbitrary: comparison(attribute, order, floatLiteral) },
  { weight: 2, arbitrary: comparison(attribute, equality, boolLiteral) },
  { weight: 1, arbitrary: join(attribute, order, "1ms") },
  { weight: 2, arbitrary: join(attribute, " != nil") },
  { weight: 1, arbitrary: join(single, " = nil") },
);

const kinds = ["unspecified", "internal", "server", "client", "producer", "consumer"];
const duration = fc.constantFrom("0ms", "1ms", "5ms", "20ms", "20000000", "30.5ms");
const id = quoted(["0000000000000001", "0000000000000002", "0000000000000063", "0000000000000000", "1"]);
const intrinsic: Text = fc.oneof(
  comparison(fc.constant("name"), order, quoted(names.span)),
  join("name", match, quoted(["G.*", ".*e.*", "query|é"])),
  comparison(fc.constantFrom("duration", "span:duration"), order, duration),
  comparison(fc.constant("status"), equality, fc.constantFrom("unset", "ok", "error")),
  comparison(fc.constant("kind"), equality, fc.constantFrom(...kinds)),
  join("statusMessage", equality, quoted(names.message)),
  join("trace:duration", order, duration),
  join("rootName", equality, quoted(names.span)),
  join("rootServiceName", equality, quoted([...names.service, ""])),
  join("resource.service.name", equality, quoted([...names.service, ""])),
  join("resource.service.name", match, quoted(["f.*|cart", ".*"])),
  // Numbers of the tree depend on the order of siblings, which is the store's; what is a root doesn't.
  fc.constantFrom(
    "nestedSetParent < 0",
    "nestedSetParent = -1",
    "nestedSetParent >= -1 && nestedSetParent < 0",
  ),
  join("span:id", equality, id),
  join("span:parentID", equality, id),
  join("span:id", match, quoted(["0+1", ".*2"])),
  join("event:name", equality, quoted(names.event)),
  join("event:timeSinceStart", order, fc.constantFrom("0ms", "2ms", "3ms")),
  join("link:traceID", equality, quoted(["1", "2", "00000000000000000000000000000001"])),
  join("link:spanID", equality, id),
  join("instrumentation:name", equality, quoted(names.scope)),
  join("instrumentation:version", equality, quoted(names.version)),
  fc.constantFrom("name != nil", "event:name != nil", "link:spanID != nil", "true", "false"),
);

const number = fc.oneof(single, fc.constantFrom("duration", "span.n", "span.f", ".n"));
const arithmetic = join(
  "(",
  number,
  fc.constantFrom(" + ", " - ", " * ", " / ", " % ", " ^ "),
  fc.oneof(number, intLiteral, floatLiteral),
  ")",
);
const computed: Text = fc.oneof(
  { weight: 2, arbitrary: join(arithmetic, order, fc.oneof(intLiteral, floatLiteral, duration)) },
  { weight: 2, arbitrary: join(single, order, single) },
  { weight: 1, arbitrary: join("-", number, order, intLiteral) },
  { weight: 1, arbitrary: join("!", single) },
  { weight: 2, arbitrary: single },
);

const fieldText: Text = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    { weight: 6, arbitrary: condition },
    { weight: 5, arbitrary: intrinsic },
    { weight: 2, arbitrary: computed },
    { weight: 3, arbitrary: join("(", tie("node"), " && ", tie("node"), ")") },
    { weight: 3, arbitrary: join("(", tie("node"), " || ", tie("node"), ")") },
    { weight: 1, arbitrary: join(tie("node"), " && ", tie("node"), " && ", tie("node")) },
    { weight: 1, arbitrary: join("!(", tie("node"), ")") },
  ),
})).node;

export const filterText = fc.oneof(
  { weight: 5, arbitrary: join("{ ", fieldText, " }") },
  { weight: 1, arbitrary: fc.constant("{}") },
);
const related = [">", ">>", "<", "<<", "~"];
const spansetOp = fc.constantFrom(
  "&&",
  "||",
  ...related,
  ...related.map((op) => `!${op}`),
  ...related.map((op) => `&${op}`),
);
const spanset: Text = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 2 },
    { weight: 3, arbitrary: filterText },
    { weight: 1, arbitrary: join("(", tie("node"), " ", spansetOp, " ", tie("node"), ")") },
  ),
})).node;

const aggregate = fc.oneof(
  fc.constant("count()"),
  join(
    fc.constantFrom("min", "max", "avg", "sum"),
    "(",
    fc.constantFrom("duration", "span.n", "span.f", "span.n * 2"),
    ")",
  ),
);
const scalarFilter = join(aggregate, order, fc.constantFrom("0", "1", "2", "3.5", "20ms", "-1"));
const group = join(
  "by(",
  fc.oneof(
    single,
    fc.constantFrom("name", "kind", "status", "resource.service.name", "duration", "rootName"),
    condition,
  ),
  ")",
);
const selected = fc.oneof(
  attribute,
  fc.constantFrom("name", "status", "kind", "statusMessage", "duration", "span:parentID"),
);
const select = fc.array(selected, { minLength: 1, maxLength: 3 }).map((all) => `select(${all.join(", ")})`);
const stage = fc.oneof(
  { weight: 3, arbitrary: scalarFilter },
  { weight: 3, arbitrary: group },
  { weight: 1, arbitrary: fc.constant("coalesce()") },
  { weight: 3, arbitrary: select },
  { weight: 2, arbitrary: filterText },
);
const pipeline = fc
  .tuple(
    fc.oneof(
      { weight: 8, arbitrary: spanset },
      { weight: 1, arbitrary: group },
      { weight: 1, arbitrary: scalarFilter },
    ),
    fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 2, arbitrary: fc.array(stage, { minLength: 1, maxLength: 3 }) },
    ),
  )
  .map(([first, others]) => [first, ...others].join(" | "));
const wrapped = join("(", pipeline, ") ", spansetOp, " (", pipeline, ")");

const ofEvent = fc.oneof(
  join("event.", attributeName, order, fc.oneof(stringLiteral, intLiteral)),
  join("event.", attributeName, " != nil"),
  join("event:name", equality, quoted(names.event)),
  join("event:timeSinceStart", order, fc.constantFrom("0ms", "2ms", "3ms")),
);
/** Conditions that one event has to satisfy together. */
const together = join("{ ", ofEvent, " && ", ofEvent, fc.constantFrom("", " && kind != client"), " }");

/** One attribute, most likely an array, in two conditions or in a condition and another stage. */
const twice = fc
  .tuple(fc.constantFrom(".list", "span.list", "span.a", ".n"), attribute)
  .chain(([often, other]) => {
    const literal = fc.oneof(stringLiteral, intLiteral, floatLiteral, boolLiteral);
    const one = fc.oneof(
      join(often, order, literal),
      join(often, match, pattern),
      fc.constant(`${often} != nil`),
    );
    return fc.oneof(
      join("{ ", one, fc.constantFrom(" && ", " || "), one, " }"),
      join("{ ", one, " } ", spansetOp, " { ", one, " }"),
      join("{ ", one, " && ", other, order, literal, " } | { ", one, " }"),
      join("{ ", one, " } | ", fc.constantFrom(`select(${often})`, `by(${often})`, `by(${often} != "x")`)),
      join("{ ", one, fc.constantFrom(" && ", " || "), often, order, single, " }"),
    );
  });

export const queryText: Text = fc
  .oneof(
    { weight: 8, arbitrary: pipeline },
    { weight: 1, arbitrary: wrapped },
    { weight: 1, arbitrary: twice },
    { weight: 1, arbitrary: together },
  )
  .filter((text) => compile(text) !== null);

/** Null for a text that is no query. */
export function compile(text: string): Query | null {
  try {
    const query = parse(text);
    validate(query);
    return rewrite(query);
  } catch {
    return null;
  }
}
