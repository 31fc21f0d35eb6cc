// What the lexer makes of the text.

import type { Scope } from "./ast.ts";
import type { Position } from "./errors.ts";
import type { ColonScope } from "./intrinsics.ts";

interface TokenBase {
  position: Position;
  /** As it stands in the query. */
  text: string;
}

export type Token =
  | (TokenBase & { type: "word" | "operator" | "end" })
  | (TokenBase & { type: "string"; value: string })
  | (TokenBase & { type: "int" | "duration"; value: bigint })
  | (TokenBase & { type: "float"; value: number })
  /** `span:` and the like, before the word of an intrinsic. */
  | (TokenBase & { type: "colonScope"; scope: ColonScope })
  | (TokenBase & { type: "attribute"; parent: boolean; scope: Scope; name: string });

/** Everything that is punctuation. Each prefix of an entry is an entry too, `&` aside. */
export const operators: ReadonlySet<string> = new Set(
  ("{ } ( ) , = != =~ !~ > >= < <= >> << ~ ! !> !>> !< !<< " + "&> &>> &< &<< &~ && || | + - * / % ^").split(
    " ",
  ),
);
export const operatorCharactersMax = 3;

/** Words with a meaning. No others are known but hint names, minInt and maxInt. */
export const keywords: ReadonlySet<string> = new Set(
  (
    "true false nil ok error unset unspecified internal server client producer consumer " +
    "duration childCount name status statusMessage kind rootName rootServiceName rootService traceDuration " +
    "nestedSetLeft nestedSetRight nestedSetParent id traceID spanID parentID timeSinceStart version parent " +
    "count avg max min sum by coalesce select with " +
    "rate count_over_time min_over_time max_over_time avg_over_time sum_over_time " +
    "quantile_over_time histogram_over_time compare topk bottomk"
  ).split(" "),
);
