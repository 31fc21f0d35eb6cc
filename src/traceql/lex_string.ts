// Strings: "…" with Go's escapes, and `…` as it stands.

const simpleEscapes: Record<string, string> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
};
const plain = /[^"\\\n]+/y;
const byteEscape = /\\(?:x([0-9a-fA-F]{2})|([0-7]{3}))/y;
const pointEscape = /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/y;

export interface LexProblem {
  problem: string;
  /** Where it is. */
  at: number;
}
export type StringValue = { value: string; end: number } | LexProblem;

/** The string at `from`, where its opening quote stands. */
export function lexString(text: string, from: number): StringValue {
  return text[from] === "`" ? lexRaw(text, from) : lexQuoted(text, from);
}

function lexRaw(text: string, from: number): StringValue {
  const close = text.indexOf("`", from + 1);
  if (close < 0) return { problem: "string has no closing `", at: from };
  return { value: text.slice(from + 1, close), end: close + 1 };
}

function lexQuoted(text: string, from: number): StringValue {
  const parts: string[] = [];
  let at = from + 1;
  for (;;) {
    const run = matchAt(plain, text, at);
    if (run) {
      parts.push(run[0]);
      at += run[0].length;
    }
    const character = text[at];
    if (character === '"') return { value: parts.join(""), end: at + 1 };
    if (character !== "\\") return { problem: 'string has no closing "', at: from };
    const simple = simpleEscapes[text[at + 1] ?? ""];
    if (simple !== undefined) {
      parts.push(simple);
      at += 2;
      continue;
    }
    const escaped = lexBytes(text, at) ?? lexPoint(text, at);
    if (!escaped) {
      const shown = text.slice(at, at + 2);
      return { problem: `unknown escape ${shown}: a backslash in "…" is written \\\\, or use \`…\``, at };
    }
    parts.push(escaped.value);
    at = escaped.end;
  }
}

/** A run of `\xc3\xa9` or `\303\251`, which are bytes of UTF-8; what is none becomes U+FFFD. */
function lexBytes(text: string, from: number): { value: string; end: number } | undefined {
  const bytes: number[] = [];
  let at = from;
  for (;;) {
    const match = matchAt(byteEscape, text, at);
    const byte =
      match?.[1] !== undefined ? Number.parseInt(match[1], 16) : Number.parseInt(match?.[2] ?? "", 8);
    if (!match || byte > 0xff) break;
    bytes.push(byte);
    at += match[0].length;
  }
  if (bytes.length === 0) return undefined;
  return { value: new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes)), end: at };
}

function lexPoint(text: string, from: number): { value: string; end: number } | undefined {
  const match = matchAt(pointEscape, text, from);
  if (!match) return undefined;
  const point = Number.parseInt(match[1] ?? match[2]!, 16);
  if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return undefined;
  return { value: String.fromCodePoint(point), end: from + match[0].length };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
