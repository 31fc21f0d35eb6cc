// Addresses: to listen on, as Go writes them, host:port, :port, [v6]:port; and of servers to ask.

export interface Endpoint {
  /** Empty for every interface. */
  host: string;
  port: number;
}

/** Undefined if it is no address. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]\s]*)):(\d{1,5})$/.exec(text);
  if (!match) return undefined;
  const port = Number(match[3]);
  return port > 65_535 ? undefined : { host: match[1] ?? match[2] ?? "", port };
}

/** Whether it is a host or host:port. */
export function isHost(endpoint: string): boolean {
  const url = `http://${endpoint}`;
  if (!/^[\w.:[\]-]+$/.test(endpoint) || !URL.canParse(url)) return false;
  return new URL(url).hostname !== "";
}
