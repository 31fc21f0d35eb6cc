// Requests over HTTP with the TLS settings of the configuration, as far as the runtime's fetch() takes them.
import { readFileSync } from "node:fs";
import { StoreError } from "./store_error.ts";

/** The part of fetch() that is used. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface TlsSettings {
  /** PEM files; "" for none. */
  caPath: string;
  certPath: string;
  keyPath: string;
  serverName: string;
  insecureSkipVerify: boolean;
}

/** What Deno has instead of options of fetch(). */
interface DenoRuntime {
  createHttpClient(options: { caCerts?: string[]; cert?: string; key?: string }): unknown;
}

/** Of a server with a certificate that all trust, or none. */
export const noTls: TlsSettings = {
  caPath: "",
  certPath: "",
  keyPath: "",
  serverName: "",
  insecureSkipVerify: false,
};

/**
 * Gives a fetch() for a server.
 *
 * @param under where the settings stand in the configuration, for errors
 * @throws StoreError if a file can't be read, or the runtime can't do what is asked
 */
export function fetchWith(tls: TlsSettings, under: string): Fetch {
  const pem = (name: string, path: string) => (path === "" ? undefined : readPem(`${under}.${name}`, path));
  const ca = pem("tls_ca_path", tls.caPath);
  const cert = pem("tls_cert_path", tls.certPath);
  const key = pem("tls_key_path", tls.keyPath);
  if ((cert === undefined) !== (key === undefined)) {
    throw new StoreError(`store: ${under}: tls_cert_path and tls_key_path are given together or not at all`);
  }
  const { Deno } = globalThis as { Deno?: DenoRuntime };
  if (Deno) {
    if (tls.serverName !== "" || tls.insecureSkipVerify) {
      throw new StoreError(
        `store: ${under}: tls_server_name and tls_insecure_skip_verify need Bun; this is Deno`,
      );
    }
    if (ca === undefined && cert === undefined) return fetch;
    const client = Deno.createHttpClient({ caCerts: ca === undefined ? undefined : [ca], cert, key });
    return (url, init) => fetch(url, { ...init, client } as RequestInit);
  }
  const options = {
    ca,
    cert,
    key,
    serverName: tls.serverName || undefined,
    rejectUnauthorized: !tls.insecureSkipVerify,
  };
  // The bytes as they are stored; and no time-out of the runtime's own, since each request has one.
  return (url, init) =>
    fetch(url, { ...init, decompress: false, timeout: false, tls: options } as RequestInit);
}

function readPem(key: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new StoreError(`store: ${key}: ${path} can't be read: ${(cause as Error).message}`, { cause });
  }
}
