// Samples as JSON, of which an answer may have millions: as nothing but a copy where they are 0, in any number of them at once.
import { ascii, type JsonText } from "./json_text.ts";

export class SampleText {
  /** `{"timestampMs":"…"},` for every interval: a sample of 0. */
  readonly #zeros: Uint8Array;
  /** Where each begins, and where the last one ends. */
  readonly #starts: Uint32Array;

  /** @param timesMs of the samples, by interval */
  constructor(timesMs: Float64Array) {
    const texts = Array.from(timesMs, (ms) => (ms === 0 ? "{}," : `{"timestampMs":"${ms}"},`));
    this.#zeros = ascii(texts.join(""));
    this.#starts = new Uint32Array(texts.length + 1);
    for (const [i, { length }] of texts.entries()) this.#starts[i + 1] = this.#starts[i]! + length;
  }

  /** Of a whole list of zeros. */
  get bytes(): number {
    return this.#zeros.length;
  }

  /** Writes the list of a series' samples. @param values by interval, NaN where there is none */
  write(out: JsonText, values: Float64Array): void {
    out.text("[");
    for (let i = 0; i < values.length; ) {
      const value = values[i]!;
      if (Number.isNaN(value)) {
        i++;
        continue;
      }
      const first = i++;
      while (value === 0 && i < values.length && values[i] === 0) i++;
      out.separate();
      const end = this.#starts[i]!;
      // Without the comma behind it, and for a value without the bracket too.
      if (value === 0) out.copy(this.#zeros, this.#starts[first]!, end - 1);
      else {
        out.copy(this.#zeros, this.#starts[first]!, end - 2);
        out.text(end - this.#starts[first]! > "{},".length ? ',"value":' : '"value":');
        out.number(value);
        out.text("}");
      }
    }
    out.text("]");
  }
}
