// The zod schema of a configuration file, made from the tables: it says which keys exist and reads each value.
// Sections are built when a file has them, and ignored keys of one kind share one schema: built whole, with zod's
// classic objects, it takes 13 MB of memory and 15 ms.
import * as z from "zod/mini";
import { bool, describe, duration, float, type Given, int, type Key, string, Unexpected } from "./key.ts";
import { type Issue, isIgnoredKey, isSection, type KnownSection, known, unknownKey } from "./known.ts";

const lightKinds: Readonly<Record<string, Key<unknown>>> = {
  string: string(),
  int: int(0, { min: Number.MIN_SAFE_INTEGER }),
  float: float(0, { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY }),
  bool: bool(false),
  duration: duration("0s", { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY }),
  list: {
    kind: "list",
    default: [],
    parse(given) {
      if (!Array.isArray(given)) throw new Unexpected(`expected a list, found ${describe(given)}`);
      return given;
    },
  },
  map: {
    kind: "map",
    default: {},
    parse(given) {
      if (typeof given !== "object" || Array.isArray(given)) {
        throw new Unexpected(`expected a mapping, found ${describe(given)}`);
      }
      return given;
    },
  },
};

/** Reads a whole tree: the values of the keys that are present, or everything that is wrong. */
export function validate(tree: Given): { value: Record<string, unknown> } | { issues: Issue[] } {
  const light = new Map<string, z.ZodMiniType>();

  function value(key: Key<unknown>): z.ZodMiniType {
    return z.optional(
      z.transform((given: unknown, context) => {
        try {
          return key.parse(given as Given);
        } catch (error) {
          if (!(error instanceof Unexpected)) throw error;
          context.issues.push({ code: "custom", message: error.message, input: given });
          return z.NEVER;
        }
      }),
    );
  }

  function lightValue(kind: string): z.ZodMiniType {
    let schema = light.get(kind);
    if (schema === undefined) {
      schema = kind === "any" ? z.optional(z.unknown()) : value(lightKinds[kind]!);
      light.set(kind, schema);
    }
    return schema;
  }

  function section(entries: KnownSection): z.ZodMiniType {
    return z.optional(
      z.lazy(() => {
        const shape: Record<string, z.ZodMiniType> = {};
        for (const [name, entry] of Object.entries(entries)) {
          if (isIgnoredKey(entry)) shape[name] = lightValue(entry.kind);
          else shape[name] = isSection(entry) ? section(entry) : value(entry);
        }
        return z.strictObject(shape);
      }),
    );
  }

  // Without jit: to compile a parser that runs once costs more than to run it.
  const result = z.safeParse(section(known()), tree, { jitless: true, reportInput: true });
  if (result.success) return { value: result.data as Record<string, unknown> };
  const issues: Issue[] = [];
  for (const issue of result.error.issues) {
    const path = issue.path.join(".");
    if (issue.code === "unrecognized_keys") {
      for (const name of issue.keys) issues.push(unknownKey(path, name));
    } else if (issue.code === "invalid_type") {
      issues.push({ path, message: `expected a mapping of keys, found ${describe(issue.input as Given)}` });
    } else {
      issues.push({ path, message: issue.message });
    }
  }
  return { issues };
}
