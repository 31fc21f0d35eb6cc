// JSON in which `30` and `30.0` differ, as the corpora write them: an integer and a double.

/** A number that was written with a point or an exponent. */
export class Double {
  constructor(readonly value: number) {}
}

export type Typed = string | number | boolean | Double | Typed[];

type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;

export function typedJson(text: string): unknown {
  const revive: Reviver = (_, value, { source }) =>
    typeof value === "number" && source !== undefined && /[.eE]/.test(source) ? new Double(value) : value;
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
}
