// Tag names and values over HTTP, both versions of both endpoints.
import { type Context, Hono } from "hono";
import type { Lookup, TagQueries } from "../query/tag_queries.ts";
import {
  namesJson,
  scopesJson,
  typedValuesJson,
  typedValuesLlmJson,
  valuesJson,
} from "../query/tags_json.ts";
import { parseTagsParams, type TagsParams } from "../query/tags_request.ts";
import {
  namesResponse,
  scopesResponse,
  typedValuesResponse,
  valuesResponse,
} from "../query/tags_response.ts";
import { answerQuery, type Bindings, formatOf, jsonType, llmType, protobufType } from "./answer_query.ts";
import { type TenantHeader, tenantHeader } from "./tenant.ts";

export interface TagRouteDeps {
  tags: TagQueries;
  /** The tenants that a request asks for. Throws TenantError. */
  tenantsOf(header: TenantHeader): string[];
}

/** How an answer is written. */
interface Forms<T> {
  json(found: T): Uint8Array;
  protobuf(found: T): Uint8Array;
  /** Where there is one for language models. */
  llm?(found: T): Uint8Array;
}

export function tagRoutes({ tags, tenantsOf }: TagRouteDeps): Hono {
  const app = new Hono<Bindings>();
  const answer = <T>(
    c: Context<Bindings>,
    prepare: (params: TagsParams, tenants: string[]) => Lookup<T>,
    forms: Forms<T>,
  ) =>
    answerQuery(c, tags.turns, "", () => {
      const tenants = tenantsOf(c.req.header(tenantHeader));
      const lookup = prepare(
        parseTagsParams((name) => c.req.query(name)),
        tenants,
      );
      return async (client) => {
        const found = await lookup(client);
        const format = formatOf(c.req.header("Accept"));
        if (format === "protobuf") {
          return { status: 200, contentType: protobufType, body: forms.protobuf(found) };
        }
        if (format === "llm" && forms.llm !== undefined) {
          return { status: 200, contentType: llmType, body: forms.llm(found) };
        }
        return { status: 200, contentType: jsonType, body: forms.json(found) };
      };
    });

  app.all("/api/search/tags", (c) =>
    answer(c, (params, tenants) => tags.names(c.req.query("scope") ?? "", params, tenants), {
      json: namesJson,
      protobuf: namesResponse,
    }),
  );
  app.all("/api/v2/search/tags", (c) =>
    answer(c, (params, tenants) => tags.scopes(c.req.query("scope") ?? "", params, tenants), {
      json: scopesJson,
      protobuf: scopesResponse,
    }),
  );
  // Names have slashes, as they are or encoded.
  app.all("/api/search/tag/:tagName{.+}/values", (c) =>
    answer(c, (params, tenants) => tags.values(tagNameOf(c), params, tenants), {
      json: valuesJson,
      protobuf: valuesResponse,
    }),
  );
  app.all("/api/v2/search/tag/:tagName{.+}/values", (c) =>
    answer(c, (params, tenants) => tags.typedValues(tagNameOf(c), params, tenants), {
      json: typedValuesJson,
      protobuf: typedValuesResponse,
      llm: typedValuesLlmJson,
    }),
  );
  return app as unknown as Hono;
}

/** Some versions of Grafana encode names twice, and one level of it is still there. */
function tagNameOf(c: Context<Bindings>): string {
  const name = c.req.param("tagName")!;
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
