// The recorded verdicts of Tempo on queries, for tests; they are kept beside the repository.

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface ParseCase {
  query: string;
  valid: boolean;
  /** Who refuses it: the grammar or the checks. */
  stage: "parse" | "validate";
  note: string;
  api: "search" | "metrics";
}

const path = fileURLToPath(new URL("../../../shared/conformance/traceql-parse.json", import.meta.url));

/** Null, after a word about it, where they are missing. */
export function readParseCases(): ParseCase[] | null {
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8")) as ParseCase[];
  console.warn(`skipped: the recorded TraceQL verdicts are not here: ${path}`);
  return null;
}
