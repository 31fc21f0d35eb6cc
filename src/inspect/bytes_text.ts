// Sizes and counts for people.

const units = ["B", "KiB", "MiB", "GiB", "TiB"] as const;
const step = 1024;

/** `512 B`, `17.4 MiB`: three digits that count. */
export function bytesText(bytes: number): string {
  let unit = 0;
  let size = bytes;
  // 1023.5 would be shown as 1024.
  while (size >= step - 0.5 && unit < units.length - 1) {
    size /= step;
    unit++;
  }
  const text = unit === 0 || size >= 100 ? String(Math.round(size)) : String(Number(size.toPrecision(3)));
  return `${text} ${units[unit]}`;
}

const thousands = /\B(?=(\d{3})+$)/g;

/** `1,234,567` */
export function countText(count: number): string {
  return String(count).replace(thousands, ",");
}

/** `1 block`, `1,234 blocks` */
export function blocksText(count: number): string {
  return `${countText(count)} ${count === 1 ? "block" : "blocks"}`;
}
