// Text from elsewhere, made safe to show: a name in a trace may hold anything, escape sequences of terminals as well.

// What has an effect other than being seen: controls, line and paragraph separators, marks that change the direction of
// what follows, halves of surrogate pairs.
const unsafe =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\p{Surrogate}]/gu;

const names: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** The text on one line, with an escape for each character that a terminal would act on. */
export function printable(text: string): string {
  return text.replace(unsafe, (character) => names[character] ?? escapeOf(character.charCodeAt(0)));
}

/** The same of several lines: they stay lines. */
export function printableLines(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => printable(line.replaceAll("\t", " ")))
    .join("\n");
}

/** JSON that says the same, with escapes for what a terminal would act on. Such characters only occur in its strings. */
export function printableJson(json: string): string {
  return json.replace(unsafe, (character) =>
    character === "\n" || character === "\r" || character === "\t"
      ? character
      : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function escapeOf(code: number): string {
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, "0")}`
    : `\\u${code.toString(16).padStart(4, "0")}`;
}
