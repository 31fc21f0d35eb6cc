// What was listed of all stored blocks of a tenant, remembered: completion asks for the same tags again and again, mostly of the same
// blocks, and blocks never change.
import type { BlockMeta } from "../block/meta.ts";
import { ByteCache } from "../block/read_cache.ts";
import type { AttributeOwner } from "../search/projection.ts";
import {
  listsBytes,
  nameBounds,
  type StoredLists,
  type TagBounds,
  type TagLists,
  TagListsJoin,
  type TagNamesQuery,
  type TagValuesQuery,
  valueBounds,
} from "../search/tags_lists.ts";
import { printAttribute } from "../traceql/index.ts";
import type { TagValueType } from "./search_types.ts";
import type { StoredTags } from "./tag_lister.ts";

/** Bytes of the answers that are kept. */
const answersBytesMax = 4 << 20;
/** What the name of a block takes in a set. */
const nameBytes = 128;

/** What all spans of some blocks have. */
interface Answer {
  blocks: ReadonlySet<string>;
  lists: TagLists<string>;
}

export class RememberedTags implements StoredTags {
  readonly #stored: StoredTags;
  /** By tenant and request. */
  readonly #answers = new ByteCache<Answer>(answersBytesMax);

  constructor(stored: StoredTags) {
    this.#stored = stored;
  }

  /** What some spans have is asked every time. */
  tagNames(
    query: TagNamesQuery,
    blocks: BlockMeta[],
    signal: AbortSignal,
  ): Promise<StoredLists<AttributeOwner>[]> {
    if (query.groups !== null) return this.#stored.tagNames(query, blocks, signal);
    const asked = `${query.limit} ${query.bytesMax} names of ${query.scope}`;
    return this.#ofAll(asked, nameBounds(query), blocks, (others) =>
      this.#stored.tagNames(query, others, signal),
    );
  }

  /** What some spans have is asked every time. */
  tagValues(
    query: TagValuesQuery,
    blocks: BlockMeta[],
    signal: AbortSignal,
  ): Promise<StoredLists<TagValueType>[]> {
    if (query.groups !== null) return this.#stored.tagValues(query, blocks, signal);
    const asked = `${query.limit} ${query.bytesMax} values of ${printAttribute(query.attribute)}`;
    return this.#ofAll(asked, valueBounds(query), blocks, (others) =>
      this.#stored.tagValues(query, others, signal),
    );
  }

  /** Where only further blocks have come since the same was asked before, those alone are asked. */
  async #ofAll<Kind extends string>(
    asked: string,
    bounds: TagBounds,
    blocks: BlockMeta[],
    ask: (blocks: BlockMeta[]) => Promise<StoredLists<Kind>[]>,
  ): Promise<StoredLists<Kind>[]> {
    const key = `${blocks[0]?.tenantID} ${asked}`;
    const names = new Set(blocks.map(nameOf));
    const before = this.#answers.get(key);
    const known: StoredLists<Kind>[] = [];
    let others = blocks;
    if (before?.blocks.isSubsetOf(names)) {
      known.push({ lists: before.lists as TagLists<Kind>, inspectedBytes: 0, isWhole: true });
      others = blocks.filter((meta) => !before.blocks.has(nameOf(meta)));
    }
    if (others.length === 0) return known;
    const found = [...known, ...(await ask(others))];
    // A block that is gone may come back, from a list that was not up to date.
    if (found.every(({ isWhole }) => isWhole)) {
      const join = new TagListsJoin<Kind>(bounds);
      for (const { lists } of found) join.add(lists);
      const lists = join.part();
      const bytes = listsBytes(lists) + key.length + names.size * nameBytes;
      this.#answers.set(key, { blocks: names, lists }, bytes);
    }
    return found;
  }
}

function nameOf({ tenantID, blockID }: BlockMeta): string {
  return `${tenantID}/${blockID}`;
}
