// Listings of tag names and values, as every protocol asks for them: checked, held to the limits, counted.
import type { Config } from "../config/config.ts";
import type { QueryMetrics } from "../telemetry/query_metrics.ts";
import { type Attribute, parseIdentifier, TraceQLError } from "../traceql/index.ts";
import { fixedValues, intrinsicNames, virtualValues } from "./intrinsic_tags.ts";
import { InvalidRequest } from "./query_errors.ts";
import { QueryTurns } from "./query_turns.ts";
import type { TagLister, TagsMetrics, TagValues } from "./search_types.ts";
import { parseScope, type TagsParams, tagConditions, tagsRange } from "./tags_request.ts";

export interface TagQueriesDeps {
  lister: TagLister;
  config: Config;
  queries: QueryMetrics;
  /** Default: one with the limits of its own. */
  turns?: QueryTurns;
  /** Unix milliseconds. Default: the clock's. */
  now?: () => number;
}

/** Names by scope, those of the intrinsics among them. */
export interface ListedScopes {
  scopes: { name: string; tags: string[] }[];
  metrics: TagsMetrics;
}

export interface ListedNames {
  names: string[];
  metrics: TagsMetrics;
}

export interface ListedValues {
  values: string[];
  metrics: TagsMetrics;
}

/**
 * Finds what a request that has been read asks for. Call it in a turn.
 *
 * @param client aborted when the client goes away
 * @throws QueryTimeout, QueryCanceled, and what the lister throws
 */
export type Lookup<T> = (client: AbortSignal) => Promise<T>;

const nothingRead: TagsMetrics = {
  inspectedBytes: 0,
  totalJobs: 0,
  completedJobs: 0,
  totalBlocks: 0,
  totalBlockBytes: 0,
};

/** Its methods throw InvalidRequest. */
export class TagQueries {
  readonly turns: QueryTurns;
  readonly #deps: TagQueriesDeps;

  constructor(deps: TagQueriesDeps) {
    this.#deps = deps;
    this.turns = deps.turns ?? new QueryTurns("metadata");
  }

  /** The second version of the names. */
  scopes(scope: string, params: TagsParams, tenants: string[]): Lookup<ListedScopes> {
    const wanted = parseScope(scope);
    const intrinsics = {
      name: "intrinsic",
      tags: intrinsicNames.slice(0, params.limit || undefined).sort(),
    };
    const shared = this.#request(params, tenants);
    const groups = tagConditions(params.query, false, this.#deps.config);
    if (wanted === "trace") return async () => ({ scopes: [], metrics: nothingRead });
    if (wanted === "intrinsic") return async () => ({ scopes: [intrinsics], metrics: nothingRead });
    return async (client) => {
      const { scopes, metrics } = await this.#counted(tenants, client, () =>
        this.#deps.lister.tagNames({ ...shared, groups, scope: wanted }, client),
      );
      return { scopes: wanted === "none" ? [...scopes, intrinsics] : scopes, metrics };
    };
  }

  /** The first version of the names: of all scopes in one list, and of intrinsics only where they are asked for. */
  names(scope: string, params: TagsParams, tenants: string[]): Lookup<ListedNames> {
    const lookup = this.scopes(scope, { ...params, query: "" }, tenants);
    return async (client) => {
      const { scopes, metrics } = await lookup(client);
      const shown = scopes.filter(({ name }) => name !== "intrinsic" || scope === "intrinsic");
      const names = distinct(shown.flatMap(({ tags }) => tags));
      return { names: names.slice(0, params.limit || undefined), metrics };
    };
  }

  /** The second version of the values: of an attribute as TraceQL names it. */
  typedValues(name: string, params: TagsParams, tenants: string[]): Lookup<TagValues> {
    let attribute: Attribute;
    try {
      attribute = parseIdentifier(name);
    } catch (error) {
      if (!(error instanceof TraceQLError)) throw error;
      throw new InvalidRequest(`please provide a valid tagName: ${error.message}`);
    }
    return this.#valuesOf(attribute, params, tenants);
  }

  /** The first version of the values: of a plain name. */
  values(name: string, params: TagsParams, tenants: string[]): Lookup<ListedValues> {
    const virtual = virtualValues.get(name);
    const lookup = this.#valuesOf(plainAttribute(name), { ...params, query: "" }, tenants);
    return async (client) => {
      const { values, metrics } =
        virtual === undefined
          ? await lookup(client)
          : { values: virtual.map((value) => ({ value })), metrics: nothingRead };
      const texts = distinct(values.map(({ value }) => value));
      return { values: texts.slice(0, params.limit || undefined), metrics };
    };
  }

  #valuesOf(attribute: Attribute, params: TagsParams, tenants: string[]): Lookup<TagValues> {
    const { config, lister } = this.#deps;
    const shared = this.#request(params, tenants);
    const unscoped = attribute.kind === "attribute" && attribute.scope === "none";
    const groups = tagConditions(params.query, unscoped, config);
    const fixed = fixedValues(attribute);
    if (fixed !== null) {
      return async () => ({ values: fixed.slice(0, params.limit || undefined), metrics: nothingRead });
    }
    return (client) =>
      this.#counted(tenants, client, () => lister.tagValues({ ...shared, attribute, groups }, client));
  }

  #request(params: TagsParams, tenants: string[]) {
    const { config, now = Date.now } = this.#deps;
    return {
      tenants,
      ...tagsRange(params, config, now()),
      limit: params.limit,
      bytesMax: config.overrides.defaults.read.max_bytes_per_tag_values_query,
    };
  }

  async #counted<T extends { metrics: TagsMetrics }>(
    tenants: string[],
    client: AbortSignal,
    list: () => Promise<T>,
  ): Promise<T> {
    const done = this.#deps.queries.begin(tenants.join("|"), "metadata");
    let inspectedBytes = 0;
    try {
      const found = await list();
      inspectedBytes = found.metrics.inspectedBytes;
      return found;
    } finally {
      done(client.aborted ? "canceled" : "completed", inspectedBytes);
    }
  }
}

const plainIntrinsics: ReadonlyMap<string, string> = new Map([
  ["name", "name"],
  ["root.name", "rootName"],
  ["root.service.name", "rootServiceName"],
]);

/** Names of attributes, but for a few that the first search had of its own, and those with a colon. */
function plainAttribute(name: string): Attribute {
  try {
    const attribute = parseIdentifier(plainIntrinsics.get(name) ?? name);
    if (attribute.kind === "intrinsic" && (plainIntrinsics.has(name) || name.includes(":"))) return attribute;
  } catch (error) {
    if (!(error instanceof TraceQLError)) throw error;
  }
  const position = { offset: 0, line: 1, column: 1 };
  return { kind: "attribute", parent: false, scope: "none", name, position };
}

/** Each once, in the order of their bytes. */
function distinct(texts: string[]): string[] {
  return [...new Set(texts)].sort(byBytes);
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
