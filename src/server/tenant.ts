// Whose data a request is about: the rules for the X-Scope-OrgID header, the same for every protocol.

/** The tenant of everything while multi-tenancy is off. */
export const singleTenant = "single-tenant";
export const tenantHeader = "x-scope-orgid";
export const tenantCharsMax = 150;

/** What a missing tenant is answered with. */
export const noOrgId = "no org id";

/** A request whose tenant is missing (401) or not allowed (400). */
export class TenantError extends Error {
  override readonly name = "TenantError";

  constructor(
    readonly status: 400 | 401,
    message: string,
  ) {
    super(message);
  }
}

/** The keys of the configuration that decide about tenants. */
export interface TenantConfig {
  multitenancy_enabled: boolean;
  storage: { trace: { backend: string } };
  query_frontend: { multi_tenant_queries_enabled: boolean };
}

/** Header or metadata values by lower-case name, as node:http, node:http2 and Headers.get() give them. */
export type TenantHeader = string | string[] | null | undefined;

/**
 * The one tenant that a request belongs to: for writes and whatever else can't be asked of several tenants at once.
 *
 * @param header value of X-Scope-OrgID
 * @throws TenantError
 */
export function tenantOf(header: TenantHeader, config: Omit<TenantConfig, "query_frontend">): string {
  if (!config.multitenancy_enabled) return singleTenant;
  const tenant = single(header);
  check(tenant, config);
  return tenant;
}

/**
 * The tenants that a read is about: `a|b` asks both. Without repeats, in the order of their bytes.
 *
 * @param header value of X-Scope-OrgID
 * @throws TenantError
 */
export function tenantsOf(header: TenantHeader, config: TenantConfig): string[] {
  if (!config.multitenancy_enabled || !config.query_frontend.multi_tenant_queries_enabled) {
    return [tenantOf(header, config)];
  }
  const tenants = single(header).split("|");
  for (const tenant of tenants) check(tenant, config);
  return [...new Set(tenants)].sort();
}

/**
 * The header's value. Some clients (Grafana's Tempo plugin before 13.1.5) send it twice, and HTTP libraries join the
 * two to `a, a`: repeats of one value are that value. Different values stay joined, and the comma is then refused.
 */
function single(header: TenantHeader): string {
  const joined = Array.isArray(header) ? header.join(",") : (header ?? "");
  if (joined === "") throw new TenantError(401, noOrgId);
  if (!joined.includes(",")) return joined;
  const values = new Set(joined.split(",").map((value) => value.trim()));
  return values.size === 1 ? [...values][0]! : joined;
}

function check(tenant: string, { storage }: Omit<TenantConfig, "query_frontend">): void {
  if (tenant === "") throw new TenantError(400, "tenant ID is empty");
  const bad = /[^a-zA-Z0-9!\-_.*'()]/u.exec(tenant);
  if (bad !== null) {
    throw new TenantError(400, `tenant ID '${tenant}' contains unsupported character '${bad[0]}'`);
  }
  if (tenant.length > tenantCharsMax) {
    throw new TenantError(400, `tenant ID is too long: max ${tenantCharsMax} characters`);
  }
  if (tenant === "." || tenant === "..") throw new TenantError(400, "tenant ID is '.' or '..'");
  // Azure takes "a." for "a" in the names of objects: two tenants would share their blocks.
  if (storage.trace.backend === "azure" && tenant.endsWith(".")) {
    throw new TenantError(400, `tenant ID '${tenant}' ends in a dot, which names in Azure can't`);
  }
}
