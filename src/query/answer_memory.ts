// What the answers of all searches under way take together, as far as they have come.
import { QueryTooLarge } from "../search/query_error.ts";
import { garbage } from "../threads/garbage.ts";

/** Bytes of summaries. One search alone may take answerBytesMax. */
const allAnswersBytesMax = 96 << 20;

export class AnswerMemory {
  readonly #held = new Map<object, number>();

  /**
   * Notes what the answer of a search takes by now.
   *
   * @throws QueryTooLarge if that is more than the other searches leave
   */
  hold(search: object, bytes: number): void {
    this.#held.set(search, bytes);
    let all = 0;
    for (const each of this.#held.values()) all += each;
    if (all <= allAnswersBytesMax) return;
    throw new QueryTooLarge(
      `the answers of all searches under way would take more than the ${allAnswersBytesMax} bytes that they may: ask for fewer traces by limit, or again later`,
    );
  }

  /** When a search has ended. */
  release(search: object): void {
    const bytes = this.#held.get(search) ?? 0;
    this.#held.delete(search);
    setImmediate(() => garbage.add(bytes)); // by then nothing on the stack looks like a reference to it
  }
}
