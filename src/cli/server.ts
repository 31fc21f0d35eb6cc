// The server that a command talks to: any that speaks Tempo's HTTP API.
import process from "node:process";
import { CommandError } from "./command_error.ts";
import type { Option } from "./options.ts";
import { printable, printableLines } from "./printable.ts";

/** What the commands share. */
export const serverOptions = {
  url: { value: "URL", help: "the server; default http://localhost:3200, or RUBATO_URL if that is set" },
  tenant: { value: "NAME", help: "sent as X-Scope-OrgID" },
  header: { value: "'NAME: VALUE'", help: "one more header, such as Authorization" },
} as const satisfies Record<string, Option>;

export interface Server {
  /** Without a slash at its end. */
  url: string;
  headers: Record<string, string>;
}

export interface Answer {
  status: number;
  contentType: string;
  body: Uint8Array;
}

const urlDefault = "http://localhost:3200";
const answerMsMax = 300_000;
const answerBytesMax = 1024 * 1024 * 1024;
const errorCharactersMax = 2000;

/**
 * Reads the options of `serverOptions`.
 *
 * @throws CommandError about a URL or header that is none
 */
export function serverOf(values: Partial<Record<keyof typeof serverOptions, string>>): Server {
  const given = values.url ?? (process.env.RUBATO_URL || urlDefault);
  const url = URL.parse(given.includes("://") ? given : `http://${given}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "")
    throw CommandError.usage(`-url: expected the URL of a server, found "${printable(given)}"`);
  const headers: Record<string, string> = {};
  if (url.username !== "" || url.password !== "") {
    const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers.Authorization = `Basic ${Buffer.from(credentials, "utf8").toString("base64")}`;
  }
  if (values.tenant !== undefined) headers["X-Scope-OrgID"] = values.tenant;
  if (values.header !== undefined) {
    const match = /^([!#-'*+.^-z|~\w-]+):[ \t]*([\t -~]*)$/.exec(values.header);
    if (match === null)
      throw CommandError.usage(`-header: expected NAME: VALUE, found "${printable(values.header)}"`);
    headers[match[1]!] = match[2]!;
  }
  return { url: `${url.origin}${url.pathname.replace(/\/+$/, "")}`, headers };
}

/**
 * Asks with GET and reads the whole answer, whatever its status.
 *
 * @param path with its query string
 * @throws CommandError if there is no answer
 */
export async function ask(server: Server, path: string, accept: string): Promise<Answer> {
  try {
    const response = await fetch(server.url + path, {
      headers: { Accept: accept, ...server.headers },
      signal: AbortSignal.timeout(answerMsMax),
    });
    const body = await readBody(response);
    return { status: response.status, contentType: response.headers.get("Content-Type") ?? "", body };
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw CommandError.failed(`no answer from ${server.url}: ${reasonOf(error)}`);
  }
}

async function readBody(response: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    parts.push(part);
    bytes += part.length;
    if (bytes > answerBytesMax)
      throw CommandError.failed(`the answer is longer than ${answerBytesMax} bytes; ask for less`);
  }
  return Buffer.concat(parts);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return printable(String(error));
  const cause = error.cause instanceof Error ? error.cause.message : "";
  const text = `${"code" in error ? String(error.code) : ""} ${error.message} ${cause}`;
  if (error.name === "TimeoutError") return `none within ${answerMsMax / 1000} s`;
  if (/ECONNREFUSED|Connection ?refused/i.test(text))
    return "connection refused. Is the server running? -url says where it is.";
  if (/ENOTFOUND|EAI_AGAIN|dns error/.test(text)) return "there is no host of that name";
  if (/ECONNRESET|socket connection was closed/i.test(text)) return "the connection was closed";
  return printable(cause === "" ? error.message : cause);
}

/** What to say about an answer of another status than 200: the status, and what the server says. */
export function refusal({ url }: Server, { status, contentType, body }: Answer): string {
  const text = new TextDecoder().decode(body).trim();
  const html = contentType.includes("html") || /^<(!doctype|html)/i.test(text);
  const said = html ? "a web page; is this the address of a Tempo-compatible server?" : text;
  const shown = printableLines(said.slice(0, errorCharactersMax));
  return `${url} answered with status ${status}${shown === "" ? "" : `: ${shown}`}`;
}
