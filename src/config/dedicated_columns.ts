// The key parquet_dedicated_columns: a list of attributes, each with scope (span), name, type (string) and options.
import type { DedicatedColumn } from "../block/dedicated.ts";
import { describe, type Given, type Key, list, Unexpected } from "./key.ts";

const scopes = ["resource", "span", "event"] as const;
const types = ["string", "int"] as const;
const options = ["array", "blob"] as const;
const fields = ["scope", "name", "type", "options"];

export function dedicatedColumns(initial: readonly DedicatedColumn[]): Key<DedicatedColumn[]> {
  const key = list("list", initial, column);
  return {
    ...key,
    parse(given) {
      const columns = key.parse(given);
      columns.forEach(({ scope, name }, index) => {
        const first = columns.findIndex((other) => other.scope === scope && other.name === name);
        if (first !== index)
          throw new Unexpected(`element ${index + 1}: ${scope} attribute ${name} is listed twice`);
      });
      return columns;
    },
  };
}

function column(given: Given): DedicatedColumn {
  if (typeof given !== "object" || Array.isArray(given)) {
    throw new Unexpected(`expected a mapping with ${fields.join(", ")}, found ${describe(given)}`);
  }
  const unknown = Object.keys(given).find((field) => !fields.includes(field));
  if (unknown !== undefined) throw new Unexpected(`unknown key ${unknown}, expected ${fields.join(", ")}`);
  const { scope = "span", name = "", type = "string", options: chosen = [] } = given;
  if (typeof name !== "string" || name === "") throw new Unexpected("name must not be empty");
  if (!Array.isArray(chosen)) throw new Unexpected(`options: expected a list, found ${describe(chosen)}`);
  return {
    scope: word("scope", scopes, scope),
    name,
    type: word("type", types, type),
    options: chosen.map((option) => word("options", options, option)),
  };
}

function word<Word extends string>(field: string, words: readonly Word[], given: Given): Word {
  const found = words.find((candidate) => candidate === given);
  if (found === undefined) {
    throw new Unexpected(`${field}: expected one of ${words.join(", ")}, found ${describe(given)}`);
  }
  return found;
}
