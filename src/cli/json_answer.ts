// What a server answers to a TraceQL query, as JSON.
import { CommandError } from "./command_error.ts";
import { withPlace } from "./query_check.ts";
import { ask, refusal, type Server } from "./server.ts";

/**
 * Asks, and gives the answer's text.
 *
 * @param path with its query string
 * @param query to show the place that a refusal names
 * @throws CommandError if there is no answer, or a refusal
 */
export async function askJson(server: Server, path: string, query: string): Promise<string> {
  const answer = await ask(server, path, "application/json");
  if (answer.status !== 200) throw CommandError.failed(withPlace(refusal(server, answer), query));
  return new TextDecoder().decode(answer.body);
}

/** @throws CommandError if the text is no JSON */
export function readJson<T>(json: string, read: (json: string) => T, { url }: Server): T {
  try {
    return read(json);
  } catch {
    throw CommandError.failed(
      `${url} answered with something other than JSON: is it a Tempo-compatible server?`,
    );
  }
}
