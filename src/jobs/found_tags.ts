// What a job has found so far, for one that looks only for what is still missing.
import { sortTexts, type TagLists } from "../search/tags_lists.ts";

export class FoundTags<Kind extends string> {
  readonly #sets = new Map<Kind, Set<string>>();
  /** Whether the latest block had to be read to its end: so will the next one, most likely. */
  readToEnd = false;

  add(lists: TagLists<Kind>): void {
    for (const [kind, texts] of Object.entries(lists) as [Kind, string[]][]) {
      const set = this.#sets.get(kind);
      if (set) for (const text of texts) set.add(text);
      else this.#sets.set(kind, new Set(texts));
    }
  }

  /** What of the lists has not been found; without kinds of which all has. */
  missingOf(lists: TagLists<Kind>): TagLists<Kind> {
    const missing: TagLists<Kind> = {};
    for (const [kind, texts] of Object.entries(lists) as [Kind, string[]][]) {
      const set = this.#sets.get(kind);
      const others = set ? texts.filter((text) => !set.has(text)) : texts;
      if (others.length > 0) missing[kind] = others;
    }
    return missing;
  }

  get lists(): TagLists<Kind> {
    const lists: TagLists<Kind> = {};
    for (const [kind, set] of this.#sets) lists[kind] = sortTexts([...set]);
    return lists;
  }
}
