// Members of an answer's JSON, whatever the server made of it: what is missing or of another type is as good as empty.

export type JsonObject = Readonly<Record<string, unknown>>;

export function object(value: unknown): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** A 64-bit integer, which proto3's JSON writes as a string and reads as a number too. */
export function integer(value: unknown): bigint {
  if (typeof value === "string" && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  return typeof value === "number" && Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;
}

/** A double: one of 0 is left out, and what JSON has no number for comes as a string. */
export function double(value: unknown): number {
  if (value === undefined) return 0;
  return typeof value === "number" || typeof value === "string" ? Number(value) : Number.NaN;
}
