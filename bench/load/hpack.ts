// Header blocks of HTTP/2 (RFC 7541): a reader for a server's answers, and a writer for our one request.

// Names of the static table's entries 1 to 61; values only where an answer may carry them.
const staticNames =
  ":authority :method :method :path :path :scheme :scheme :status :status :status :status :status :status :status accept-charset accept-encoding accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control content-disposition content-encoding content-language content-length content-location content-range content-type cookie date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified link location max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after server set-cookie strict-transport-security transfer-encoding user-agent vary via www-authenticate".split(
    " ",
  );
const staticValues: Record<number, string> = {
  2: "GET",
  3: "POST",
  4: "/",
  5: "/index.html",
  6: "http",
  7: "https",
  8: "200",
  9: "204",
  10: "206",
  11: "304",
  12: "400",
  13: "404",
  14: "500",
};

// Code lengths of the printable ASCII characters (appendix B). Codes of one length are consecutive in the order of their
// characters, so lengths are all that is needed; every longer code belongs to bytes that no header value of ours has.
const codeLengths = [
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5,
  6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13,
];
const codeLengthMax = 15;
const characterOf = new Map<number, string>(); // (length << 16 | code) to character

// The zero byte has one of the two 13-bit codes that do not belong to printable characters; it sorts first.
for (let length = 5, code = 0; length <= codeLengthMax; length++, code <<= 1) {
  if (length === 13) code++;
  codeLengths.forEach((l, i) => {
    if (l === length) characterOf.set((length << 16) | code++, String.fromCharCode(32 + i));
  });
}

function huffman(bytes: Uint8Array): string {
  let out = "";
  let code = 0;
  let length = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = (code << 1) | ((byte >> bit) & 1);
      length++;
      const character = characterOf.get((length << 16) | code);
      if (character !== undefined) {
        out += character;
        code = 0;
        length = 0;
      } else if (length > 30) {
        throw new Error("hpack huffman code of an unprintable character");
      }
    }
  }
  return out;
}

const tableBytesMax = 4096; // the protocol's default, which we leave as it is
const entryBytes = 32; // what the protocol counts for an entry beside its text

/** Reads the header blocks of one connection, in the order they came. */
export class HeaderReader {
  private readonly table: { name: string; value: string }[] = []; // newest first
  private tableBytes = 0;
  private block: Uint8Array = new Uint8Array(0);
  private at = 0;

  read(block: Uint8Array): Map<string, string> {
    const headers = new Map<string, string>();
    this.block = block;
    this.at = 0;
    while (this.at < block.length) {
      const first = block[this.at]!;
      if (first & 128) {
        const { name, value } = this.entry(this.integer(7));
        headers.set(name, value);
      } else if ((first & 224) === 32) {
        this.evict(this.integer(5)); // table size update
      } else {
        const indexed = (first & 64) !== 0;
        const index = this.integer(indexed ? 6 : 4);
        const name = index === 0 ? this.text() : this.entry(index).name;
        const value = this.text();
        headers.set(name, value);
        if (indexed) this.remember(name, value);
      }
    }
    return headers;
  }

  private entry(index: number): { name: string; value: string } {
    const name = staticNames[index - 1];
    if (name !== undefined) return { name, value: staticValues[index] ?? "" };
    const entry = this.table[index - 1 - staticNames.length];
    if (entry === undefined) throw new Error(`hpack index ${index} is not in the table`);
    return entry;
  }

  private remember(name: string, value: string): void {
    const bytes = name.length + value.length + entryBytes;
    this.evict(tableBytesMax - bytes);
    if (bytes > tableBytesMax) return;
    this.table.unshift({ name, value });
    this.tableBytes += bytes;
  }

  private evict(bytesMax: number): void {
    while (this.tableBytes > bytesMax) {
      const last = this.table.pop();
      if (last === undefined) return;
      this.tableBytes -= last.name.length + last.value.length + entryBytes;
    }
  }

  private integer(prefixBits: number): number {
    const limit = (1 << prefixBits) - 1;
    let value = this.block[this.at++]! & limit;
    if (value < limit) return value;
    for (let shift = 0; ; shift += 7) {
      const byte = this.block[this.at++]!;
      value += (byte & 127) << shift;
      if (byte < 128) return value;
    }
  }

  private text(): string {
    const coded = (this.block[this.at]! & 128) !== 0;
    const length = this.integer(7);
    const bytes = this.block.subarray(this.at, this.at + length);
    this.at += length;
    return coded ? huffman(bytes) : Buffer.from(bytes).toString("latin1");
  }
}

/** A header block of literals, never indexed. */
export function writeHeaders(headers: [string, string][]): Uint8Array {
  const out: number[] = [];
  const text = (value: string) => {
    const bytes = Buffer.from(value, "latin1");
    if (bytes.length > 126) throw new Error(`hpack header value of ${bytes.length} bytes is too long`);
    out.push(bytes.length, ...bytes);
  };
  for (const [name, value] of headers) {
    out.push(0);
    text(name);
    text(value);
  }
  return Uint8Array.from(out);
}
