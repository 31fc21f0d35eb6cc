// Names of objects. Tenants come from clients, so a path must not lead out of where it is meant to be.
import { StoreError } from "./store_error.ts";

/**
 * Checks a path; "" is the root.
 *
 * @throws StoreError
 */
export function checkPath(path: string): void {
  if (path === "") return;
  for (const part of path.split("/")) {
    if (part === "" || part === "." || part === ".." || part.includes("\\") || part.includes("\0")) {
      throw new StoreError(`store: invalid path ${JSON.stringify(path)}`);
    }
  }
}

/** A prefix of the configuration, with slashes where they may be, as it stands before all keys: "" or with one "/" at its end. */
export function keyPrefix(configured: string): string {
  return configured
    .split("/")
    .filter((part) => part !== "")
    .map((part) => `${part}/`)
    .join("");
}
