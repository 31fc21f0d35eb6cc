// Sizes in bytes: a plain number as Tempo takes it, or one with a unit (64MiB, 1.5GB).

const units: Record<string, number> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

/** Bytes of a size such as `5000000` or `64MiB`; undefined if it is none or not whole. */
export function parseByteSize(text: string): number | undefined {
  const match = /^(\d[\d_]*\.?\d*(?:e\d+)?) ?([kmgt]?i?b)?$/i.exec(text);
  if (!match) return undefined;
  const unit = match[2] === undefined ? 1 : units[match[2].toUpperCase()];
  if (unit === undefined) return undefined;
  const bytes = Number(match[1]!.replaceAll("_", "")) * unit;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
