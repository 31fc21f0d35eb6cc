// Nothing may be ignored silently: a key that table.ts does not declare to be without effect is read somewhere.
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { type AnyTable, isKey } from "./key.ts";
import { anyTable, withoutEffect } from "./table.ts";

/** A choice of one value needs no reader. */
const oneValued = ["target"];

const source = path.join(import.meta.dir, "..");

function* actingKeys(table: AnyTable, under: string): Generator<string> {
  for (const [name, entry] of Object.entries(table)) {
    const key = under + name;
    if (Object.hasOwn(withoutEffect, key)) continue;
    if (isKey(entry)) yield key;
    else yield* actingKeys(entry, `${key}.`);
  }
}

test("every key that is said to act is read by some part of the server", () => {
  const files = readdirSync(source, { recursive: true, encoding: "utf8" });
  // Receivers are opened, and the memory budget worked out, by this folder itself.
  const readers = files.filter(
    (file) =>
      file.endsWith(".ts") &&
      !file.endsWith(".test.ts") &&
      (!file.startsWith("config/") || ["config/listen.ts", "config/memory.ts"].includes(file)),
  );
  const words = new Set(
    readers.flatMap((file) => readFileSync(path.join(source, file), "utf8").match(/\w+/g) ?? []),
  );
  const keys = [...actingKeys(anyTable, "")].filter((key) => !oneValued.includes(key));
  expect(keys.filter((key) => !words.has(key.split(".").at(-1)!))).toEqual([]);
});
