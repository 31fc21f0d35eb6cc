// Whatever the text, it is a query or a TraceQLError, and soon.

import { expect, test } from "bun:test";
import { readParseCases } from "./corpus_fixture.ts";
import {
  extractConditions,
  parse,
  parseIdentifier,
  print,
  rewrite,
  TraceQLError,
  validate,
} from "./index.ts";

/** Seeded, so that a failure comes again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Throws what is no TraceQLError. */
function tryAll(text: string): void {
  attempt(() => {
    const tree = parse(text);
    print(tree);
    validate(tree);
    print(rewrite(tree));
  });
  attempt(() => parseIdentifier(text));
  attempt(() => extractConditions(text, { groupsMax: 100 }));
}

function attempt(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof TraceQLError)) throw error;
    expect(error.message.length).toBeLessThan(1000);
    expect(error.position.column).toBeGreaterThan(0);
  }
}

const pieces = (
  '{ } ( ) , . = != =~ !~ > >= < <= >> << ~ ! !> &>> &~ && || | + - * / % ^ nil true 1 2.5 3s 1d12h `x` "y" "\\q .a ' +
  'span.b resource."c d" parent.e span: name duration status error server minInt by select coalesce count max avg ' +
  "rate quantile_over_time compare topk with foo // /* */ ' \u00a0 \ud800 \u0000 \n é 08 0x1 . & : # ["
).split(" ");
const seeds = readParseCases()?.map(({ query }) => query) ?? ["{ .a = 1 } | by(.b) | count() > 2 with (a=1)"];

test("random bytes", () => {
  const below = random(1);
  for (let i = 0; i < 1500; i++) {
    const bytes = Uint8Array.from({ length: below(60) }, () => below(256));
    tryAll(new TextDecoder().decode(bytes));
  }
});

test("random tokens", () => {
  const below = random(2);
  for (let i = 0; i < 4000; i++) {
    const length = 1 + below(14);
    tryAll(
      `${below(2) ? "{ " : ""}${Array.from({ length }, () => pieces[below(pieces.length)]).join(below(3) ? " " : "")}`,
    );
  }
});

test("mutated queries", () => {
  const below = random(3);
  for (let i = 0; i < 4000; i++) {
    let text = seeds[below(seeds.length)]!.slice(0, 300);
    for (let edits = 1 + below(3); edits > 0; edits--) {
      const at = below(text.length + 1);
      const piece = below(2) ? pieces[below(pieces.length)]! : String.fromCharCode(below(128));
      text = text.slice(0, at) + (below(3) ? piece : "") + text.slice(at + below(4));
    }
    tryAll(text);
  }
});

test("100 KB of anything repeated", () => {
  const eachMsMax = 2000; // some tens on an idle machine
  const repeated = [
    "{}>",
    "({}|",
    "{}&&",
    "(",
    "(.a||",
    ".a&&",
    '"\\n',
    "`",
    '."',
    "1s",
    "2.5",
    "/*",
    "=~`(`||",
    "a",
    "é",
  ];
  const started = performance.now();
  for (const piece of repeated) {
    for (const opening of ["", "{ .a "]) {
      tryAll(opening + piece.repeat(100_000 / piece.length));
    }
  }
  expect(performance.now() - started).toBeLessThan(eachMsMax * repeated.length);
}, 60_000);
