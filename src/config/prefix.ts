// What may stand before the names of objects in a bucket.

/** @param report takes what is wrong, by the key's name */
export function checkPrefix(prefix: string, report: (key: string, message: string) => void): void {
  // URLs take them for steps, listings for names.
  if (prefix.split("/").some((part) => part === "." || part === "..")) {
    report("prefix", `must be without . and .. between slashes, found "${prefix}"`);
  }
}
