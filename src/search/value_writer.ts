// Values of expressions as OTLP's AnyValue, in the form in which results show them.

import { QueryType } from "../../wasm/query_ids.ts";
import { doubleOf } from "../batch/double_bits.ts";
import { type Attribute, printDuration } from "../traceql/index.ts";
import { arrayElements } from "./array_elements.ts";
import type { Evaluator } from "./evaluate.ts";
import type { MessageWriter } from "./message_writer.ts";
import { type Element, kindNames, statusNames } from "./values.ts";

export class ValueWriter {
  readonly #evaluator: Evaluator;
  readonly #writer: MessageWriter;

  constructor(evaluator: Evaluator, writer: MessageWriter) {
    this.#evaluator = evaluator;
    this.#writer = writer;
  }

  /** The value of a span set. */
  setValue(values: number, rows: number, row: number): void {
    const type = this.#evaluator.reader.type(values, row);
    this.write(type, this.#evaluator.reader.word(values, rows, row), null);
  }

  /**
   * A value, by its type and its 8 bytes.
   *
   * @param attribute whose conditions choose the elements of an array that are shown; null: all are
   */
  write(type: QueryType, bits: bigint, attribute: Attribute | null): void {
    const { batch } = this.#evaluator;
    const writer = this.#writer;
    const int = BigInt.asIntN(64, bits);
    switch (type) {
      case QueryType.Nil:
        writer.text(1, "nil");
        return;
      case QueryType.String:
        writer.bytes(1, batch.stringBytes(Number(bits)));
        return;
      case QueryType.Array:
        this.#elements(
          attribute === null
            ? arrayElements(batch.blob(Number(bits)))
            : this.#evaluator.shownElements(attribute, Number(bits)),
        );
        return;
      case QueryType.Bool:
        this.#element(bits !== 0n);
        return;
      case QueryType.Int:
        this.#element(int);
        return;
      case QueryType.Double:
        this.#element(doubleOf(bits));
        return;
      case QueryType.Duration:
        writer.text(1, printDuration(int));
        return;
      case QueryType.Status:
        writer.text(1, statusNames[Number(int)] ?? `status(${int})`);
        return;
      case QueryType.Kind:
        writer.text(1, kindNames[Number(int)] ?? `kind(${int})`);
        return;
      default:
        writer.text(1, this.#evaluator.reader.idText(type, bits));
    }
  }

  /** An array of one element can't be told from a scalar, and is shown as one. */
  #elements(elements: readonly Element[]): void {
    if (elements.length === 1) {
      this.#element(elements[0]!);
      return;
    }
    this.#writer.begin(5);
    for (const element of elements) {
      this.#writer.begin(1);
      this.#element(element);
      this.#writer.end();
    }
    this.#writer.end();
  }

  #element(element: Element): void {
    if (element instanceof Uint8Array) this.#writer.bytes(1, element);
    else if (typeof element === "boolean") this.#writer.number(2, element ? 1 : 0);
    else if (typeof element === "bigint") {
      this.#writer.number(3, Number(element & 0xffff_ffffn), Number((element >> 32n) & 0xffff_ffffn));
    } else this.#writer.double(4, element);
  }
}
