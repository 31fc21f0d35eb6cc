// The XML of object services: flat lists of elements without attributes, so that a reader of the whole language is not needed.

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** Contents of all elements of a name, as they stand there. None of those read here lies within one of the same name. */
export function elements(xml: string, name: string): string[] {
  const [open, close] = [`<${name}>`, `</${name}>`];
  const found: string[] = [];
  for (let at = xml.indexOf(open); at >= 0; ) {
    const from = at + open.length;
    const to = xml.indexOf(close, from);
    if (to < 0) break;
    found.push(xml.slice(from, to));
    at = xml.indexOf(open, to + close.length);
  }
  return found;
}

/** Text of the first element of a name; "" if there is none. */
export function elementText(xml: string, name: string): string {
  const [text = ""] = elements(xml, name);
  return text.replace(/&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi, (all, hex, decimal, entity) => {
    if (entity !== undefined) return entities[entity] ?? all;
    const code = Number.parseInt(hex ?? decimal, hex === undefined ? 10 : 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
}

export function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
