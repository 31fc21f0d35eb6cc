// Names and values of attributes in one stored block. What is asked of all its spans is answered from dictionaries as far as they go, and
// else from the columns of that one attribute; what is asked of some spans is read with the columns of the filter, until nothing is
// left to be found.
import type { SpanBatch } from "../batch/span_batch.ts";
import { isBlockVersion } from "../block/meta.ts";
import type { BlockReader } from "../block/read.ts";
import type { ReadCaches } from "../block/read_caches.ts";
import type { Dictionary } from "../block/read_dictionary.ts";
import type { RowRange } from "../block/read_plan.ts";
import { necessaryOf } from "../search/necessary.ts";
import type { AttributeOwner, Projection } from "../search/projection.ts";
import { ProjectionBuilder } from "../search/projection_of.ts";
import {
  attributeOwners,
  type ListedSpans,
  ownersOf,
  tagNamesOf,
  tagValuesOf,
  withoutEmptyService,
} from "../search/tags_batch.ts";
import { attributesOf, filterOf, matchingSpans } from "../search/tags_filter.ts";
import {
  type NameLists,
  sortTexts,
  TagListsJoin,
  type TagNamesQuery,
  type TagsQuery,
  type TagValuesQuery,
  type ValueLists,
  valueBounds,
} from "../search/tags_lists.ts";
import type { Attribute, ConditionGroup, FieldExpression } from "../traceql/index.ts";
import type { FoundTags } from "./found_tags.ts";
import { keyColumn, textColumns } from "./tag_columns.ts";
import { growingSlices } from "./tag_slices.ts";

/** Values that are looked for one by one; where there may be more, everything is read. */
const lookedForMax = 10_000;
/** In place of a request's own bounds. */
const boundless = { limit: 0, bytesMax: 0 };

/** A request about some spans. */
export type Filtered<Query extends TagsQuery> = Query & { groups: ConditionGroup[] };

/** Lists what was read. Returns whether there may be more to find. */
type List = (batch: SpanBatch, listed: ListedSpans) => boolean;

export class BlockTags {
  readonly #reader: BlockReader;
  readonly #caches: ReadCaches;
  readonly #breathe: () => Promise<void>;

  /** @param breathe called between two pieces of work; throws if the job has been cancelled meanwhile */
  constructor(reader: BlockReader, caches: ReadCaches, breathe: () => Promise<void>) {
    this.#reader = reader;
    this.#caches = caches;
    this.#breathe = breathe;
  }

  /**
   * Lists the names of all scopes, without bounds.
   *
   * @throws ParquetError, StoreError
   */
  async names(): Promise<NameLists> {
    const names: NameLists = {};
    const groups = await this.#groups();
    for (const owner of attributeOwners) {
      const found = new Set<string>();
      for (let group = 0; group < groups; group++) {
        for (const name of await this.#reader.keyNames(group, owner)) found.add(name);
        await this.#breathe();
      }
      if (found.size > 0) names[owner] = sortTexts([...found]);
    }
    return names;
  }

  /**
   * Finds the names that the filter's spans have.
   *
   * @param possible names that any span has, of the scopes that are asked for
   * @param found what need not be looked for any more; what is found is added
   * @throws ParquetError, StoreError
   */
  async findNames(
    query: Filtered<TagNamesQuery>,
    possible: NameLists,
    found: FoundTags<AttributeOwner>,
  ): Promise<void> {
    let missing = found.missingOf(possible);
    const isMissing = (): boolean => Object.keys(missing).length > 0;
    const list: List = (batch, listed) => {
      found.add(tagNamesOf(batch, { ...query, ...boundless }, listed));
      missing = found.missingOf(possible);
      return isMissing();
    };
    if (!isMissing()) return;
    const projection = () => projectionOf(query, namedIn(missing));
    found.readToEnd = await this.#readMatching(query, projection, found.readToEnd, list);
  }

  /**
   * Lists the values that all spans have, or the filter's.
   *
   * @throws ParquetError, StoreError
   */
  async values(query: TagValuesQuery): Promise<ValueLists> {
    const join = new TagListsJoin<keyof ValueLists>(valueBounds(query));
    const list: List = (batch, listed) => {
      join.add(tagValuesOf(batch, query, listed));
      return true;
    };
    const projection = projectionOf(query, [query.attribute]);
    const { groups } = query;
    if (groups !== null) {
      await this.#readMatching({ ...query, groups }, () => projection, true, list);
      return join.part();
    }
    const count = await this.#groups();
    for (let group = 0; group < count; group++) {
      const dictionaries = await this.#dictionaries(group, query.attribute);
      if (dictionaries) join.add(valuesOf(query.attribute, dictionaries));
      else {
        const size = await this.#reader.groupSize(group);
        for (const slice of growingSlices([{ start: 0, end: size.rows }], size, true)) {
          await this.#readSlice(group, slice, projection, null, list);
        }
      }
      await this.#breathe();
    }
    return join.part();
  }

  /**
   * Lists the values that all spans have, without bounds, if dictionaries tell and they are not too many; else null.
   *
   * @throws ParquetError, StoreError
   */
  async fewValues({ attribute }: TagValuesQuery): Promise<ValueLists | null> {
    const all: Dictionary[] = [];
    const groups = await this.#groups();
    for (let group = 0; group < groups; group++) {
      const dictionaries = await this.#dictionaries(group, attribute);
      if (dictionaries === null) return null;
      all.push(...dictionaries);
    }
    const count = all.reduce((sum, dictionary) => sum + dictionary.count, 0);
    return count <= lookedForMax ? valuesOf(attribute, all) : null;
  }

  /**
   * Finds the values that the filter's spans have.
   *
   * @param possible values that any span has
   * @param found what need not be looked for any more; what is found is added
   * @throws ParquetError, StoreError
   */
  async findValues(
    query: Filtered<TagValuesQuery>,
    possible: ValueLists,
    found: FoundTags<keyof ValueLists>,
  ): Promise<void> {
    const isMissing = (): boolean => Object.keys(found.missingOf(possible)).length > 0;
    if (!isMissing()) return;
    const projection = projectionOf(query, [query.attribute]);
    const list: List = (batch, listed) => {
      found.add(tagValuesOf(batch, { ...query, ...boundless }, listed));
      return isMissing();
    };
    found.readToEnd = await this.#readMatching(query, () => projection, found.readToEnd, list);
  }

  async #groups(): Promise<number> {
    return isBlockVersion(this.#reader.meta.format) ? this.#reader.rowGroups() : 0;
  }

  /** Dictionaries that have all values of an attribute or intrinsic in a row group; null if others than they do. */
  async #dictionaries(group: number, attribute: Attribute): Promise<Dictionary[] | null> {
    for (const owner of ownersOf(attribute)) {
      const keys = await this.#reader.columnDictionary(group, keyColumn(owner));
      if (!keys || keys.indexOf(encoder.encode(attribute.name)) >= 0) return null;
    }
    const paths = textColumns(this.#reader.meta, attribute);
    if (paths === null) return null;
    const dictionaries: Dictionary[] = [];
    for (const path of paths) {
      const dictionary = await this.#reader.columnDictionary(group, path);
      if (!dictionary) return null;
      dictionaries.push(dictionary);
    }
    return dictionaries;
  }

  /**
   * Reads what may match.
   *
   * @param all whether everything will be read, whatever is found, or most likely so
   * @returns whether everything was read
   */
  async #readMatching(
    { groups }: Filtered<TagsQuery>,
    projection: () => Projection,
    all: boolean,
    list: List,
  ): Promise<boolean> {
    const filter = filterOf(groups);
    const necessary = necessaryOf(filter);
    const count = await this.#groups();
    for (let group = 0; group < count; group++) {
      const rows = await this.#reader.candidateRows(group, necessary, null);
      for (const slice of growingSlices(rows, await this.#reader.groupSize(group), all)) {
        if (!(await this.#readSlice(group, slice, projection(), filter, list))) return false;
        await this.#breathe();
      }
    }
    return true;
  }

  async #readSlice(
    group: number,
    rows: readonly RowRange[],
    projection: Projection,
    filter: FieldExpression | null,
    list: List,
  ): Promise<boolean> {
    const batch = this.#caches.takeBatch();
    try {
      await this.#reader.readRowGroup(batch, group, { rows, projection });
      return list(batch, { spans: filter === null ? 0 : matchingSpans(batch, filter, true), stored: true });
    } finally {
      this.#caches.giveBatch(batch);
    }
  }
}

/** What the filter and the targets of a request take. */
function projectionOf({ groups }: TagsQuery, targets: readonly Attribute[]): Projection {
  const builder = new ProjectionBuilder();
  for (const attribute of [...attributesOf(groups ?? []), ...targets]) builder.attribute(attribute);
  return builder.projection();
}

function namedIn(names: NameLists): Attribute[] {
  const position = { offset: 0, line: 1, column: 1 };
  return (Object.entries(names) as [AttributeOwner, string[]][]).flatMap(([scope, list]) =>
    list.map((name) => ({ kind: "attribute" as const, parent: false, scope, name, position })),
  );
}

function valuesOf(attribute: Attribute, dictionaries: readonly Dictionary[]): ValueLists {
  const texts = new Set<string>();
  for (const dictionary of dictionaries) {
    for (let i = 0; i < dictionary.count; i++) texts.add(decoder.decode(dictionary.entry(i)));
  }
  return texts.size > 0 ? withoutEmptyService(attribute, { string: sortTexts([...texts]) }) : {};
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
