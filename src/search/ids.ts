// Ids as the language sees them: texts of hex digits.

/** 16 digits. */
export function spanIdText(bytes: Uint8Array): string {
  return hex(bytes).padStart(16, "0");
}

/** Without leading zeros. */
export function traceIdText(bytes: Uint8Array): string {
  return hex(bytes).replace(/^0+/, "");
}

export function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += digits[byte]!;
  return text;
}

const digits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Bytes of a text that is the id of a span; null if it is none. */
export function parseSpanIdText(text: string): Uint8Array | null {
  return /^[0-9a-f]{16}$/.test(text) ? bytesOf(text) : null;
}

/** 16 bytes of a text that is the id of a trace; null if it is none. */
export function parseTraceIdText(text: string): Uint8Array | null {
  return /^[1-9a-f][0-9a-f]{0,31}$/.test(text) ? bytesOf(text.padStart(32, "0")) : null;
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, i) =>
    Number.parseInt(text.slice(i * 2, i * 2 + 2), 16),
  );
}
