// Listing names and values of attributes in a list of blocks. Completion asks for the same tags again and again, and blocks never
// change: what all spans of a block have is remembered.
import type { BlockMeta } from "../block/meta.ts";
import type { BlockReader } from "../block/read.ts";
import { ByteCache } from "../block/read_cache.ts";
import type { ReadCaches } from "../block/read_caches.ts";
import type { TagValueType } from "../query/search_types.ts";
import type { AttributeOwner } from "../search/projection.ts";
import { ownersOfScope } from "../search/tags_batch.ts";
import {
  fits,
  listsBytes,
  type NameLists,
  nameBounds,
  partOf,
  type StoredLists,
  type TagLists,
  TagListsJoin,
  type TagNamesQuery,
  type TagValuesQuery,
  valueBounds,
} from "../search/tags_lists.ts";
import type { Store } from "../store/store.ts";
import { printAttribute } from "../traceql/index.ts";
import { eachBlock } from "./each_block.ts";
import { FoundTags } from "./found_tags.ts";
import { BlockTags, type Filtered } from "./list_block_tags.ts";

/** Calls of a block worker. */
export interface TagCalls {
  tagNames: {
    params: { query: TagNamesQuery; metas: BlockMeta[] };
    result: StoredLists<AttributeOwner>;
  };
  tagValues: {
    params: { query: TagValuesQuery; metas: BlockMeta[] };
    result: StoredLists<TagValueType>;
  };
}

/** Bytes of what a worker remembers of its blocks. */
const answersBytesMax = 8 << 20;
/** Longer lists of a block are not remembered: a few of them would push all others out. */
const listsBytesMax = 64 << 10;

export class BlockTagLister {
  readonly #store: Store;
  readonly #caches: ReadCaches;
  /** By block and what is listed, without the bounds of a request. */
  readonly #answers = new ByteCache<TagLists<string>>(answersBytesMax);

  constructor(store: Store, caches: ReadCaches) {
    this.#store = store;
    this.#caches = caches;
  }

  /** @throws ParquetError of a damaged block, StoreError */
  async tagNames(
    { query, metas }: TagCalls["tagNames"]["params"],
    signal: AbortSignal,
  ): Promise<TagCalls["tagNames"]["result"]> {
    const owners = ownersOfScope(query.scope);
    const namesOf = async (block: BlockTags, name: string): Promise<NameLists> => {
      const all = await this.#remembered(name, "names", () => block.names());
      return Object.fromEntries(owners.flatMap((owner) => (all[owner] ? [[owner, all[owner]]] : [])));
    };
    const bounds = nameBounds(query);
    if (isFiltered(query)) {
      const found = new FoundTags<AttributeOwner>();
      const read = await this.#each(metas, signal, async (block, name) =>
        block.findNames(query, await namesOf(block, name), found),
      );
      return { lists: partOf(found.lists, bounds), ...read };
    }
    const join = new TagListsJoin<AttributeOwner>(bounds);
    const read = await this.#each(metas, signal, async (block, name) => join.add(await namesOf(block, name)));
    return { lists: join.part(), ...read };
  }

  /** @throws ParquetError of a damaged block, StoreError */
  async tagValues(
    { query, metas }: TagCalls["tagValues"]["params"],
    signal: AbortSignal,
  ): Promise<TagCalls["tagValues"]["result"]> {
    const what = `values of ${printAttribute(query.attribute)}`;
    const bounds = valueBounds(query);
    const join = new TagListsJoin<TagValueType>(bounds);
    if (isFiltered(query)) {
      const found = new FoundTags<TagValueType>();
      const read = await this.#each(metas, signal, async (block, name) => {
        const possible = await this.#remembered(name, what, () => block.fewValues(query));
        if (possible) await block.findValues(query, possible, found);
        else join.add(await block.values(query));
      });
      join.add(partOf(found.lists, bounds));
      return { lists: join.part(), ...read };
    }
    const isWhole = (lists: TagLists<TagValueType>): boolean => fits(lists, bounds);
    const read = await this.#each(metas, signal, async (block, name) =>
      join.add(await this.#remembered(name, what, () => block.values(query), isWhole)),
    );
    return { lists: join.part(), ...read };
  }

  async #each(
    metas: readonly BlockMeta[],
    signal: AbortSignal,
    look: (block: BlockTags, name: string) => Promise<void>,
  ): Promise<Omit<StoredLists<never>, "lists">> {
    let inspectedBytes = 0;
    let blocks = 0;
    await eachBlock(this.#store, this.#caches, metas, signal, async (reader: BlockReader, _, breathe) => {
      const { tenantID, blockID } = reader.meta;
      await look(new BlockTags(reader, this.#caches, breathe), `${tenantID}/${blockID}`);
      inspectedBytes += reader.bytesRead;
      blocks++;
    });
    return { inspectedBytes, isWhole: blocks === metas.length };
  }

  /** @param list may give null: then there is nothing to be remembered */
  async #remembered<Kind extends string, Lists extends TagLists<Kind> | null>(
    block: string,
    what: string,
    list: () => Promise<Lists>,
    isWhole: (lists: TagLists<Kind>) => boolean = () => true,
  ): Promise<Lists> {
    const key = `${block} ${what}`;
    const known = this.#answers.get(key);
    if (known) return known as Lists;
    const lists = await list();
    if (lists && isWhole(lists)) {
      const bytes = listsBytes(lists) + key.length;
      if (bytes <= listsBytesMax) this.#answers.set(key, lists, bytes);
    }
    return lists;
  }
}

function isFiltered<Query extends TagNamesQuery | TagValuesQuery>(query: Query): query is Filtered<Query> {
  return query.groups !== null;
}
