// Search over HTTP.
import { Hono } from "hono";
import { searchJson } from "../query/search_json.ts";
import type { SearchQueries } from "../query/search_queries.ts";
import { parseSearchParams } from "../query/search_request.ts";
import { searchResponse } from "../query/search_response.ts";
import { answerQuery, type Bindings, formatOf, jsonType, protobufType } from "./answer_query.ts";
import { type TenantHeader, tenantHeader } from "./tenant.ts";

export interface SearchRouteDeps {
  search: SearchQueries;
  /** The tenants that a request asks for. Throws TenantError. */
  tenantsOf(header: TenantHeader): string[];
}

export function searchRoutes({ search, tenantsOf }: SearchRouteDeps): Hono {
  const app = new Hono<Bindings>();
  app.all("/api/search", (c) =>
    answerQuery(c, search.turns, "", () => {
      const tenants = tenantsOf(c.req.header(tenantHeader));
      const params = parseSearchParams((name) => c.req.query(name));
      const request = search.request(params, tenants, false);
      return async (client) => {
        const { traces, metrics } = await search.whole(request, client);
        const messages = traces.map(({ message }) => message);
        // There is no form for language models.
        return formatOf(c.req.header("Accept")) === "protobuf"
          ? { status: 200, contentType: protobufType, body: searchResponse(messages, metrics) }
          : { status: 200, contentType: jsonType, body: searchJson(messages, metrics) };
      };
    }),
  );
  return app as unknown as Hono;
}
