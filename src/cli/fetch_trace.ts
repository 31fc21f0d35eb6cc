// Gets a trace by its id, from servers of every age.
import { CommandError } from "./command_error.ts";
import { printable } from "./printable.ts";
import { type Answer, ask, refusal, type Server } from "./server.ts";
import type { Trace } from "./trace.ts";
import { readTraceJson } from "./trace_json.ts";
import { readTraceByIdResponse, readTraceV1 } from "./trace_protobuf.ts";

const json = "application/json";
/** JSON for those servers that can't do otherwise. */
const protobufRather = "application/protobuf, application/json;q=0.5";

/**
 * The trace, decoded.
 *
 * @param id hex digits
 * @throws CommandError also if there is no such trace
 */
export async function fetchTrace(server: Server, id: string): Promise<Trace> {
  const { answer, version } = await fetchAnswer(server, id, protobufRather);
  const trace = decode(server, answer, version);
  if (trace.spans.length === 0) throw notFound(server, id);
  return trace;
}

/**
 * The answer as JSON, as the server gave it.
 *
 * @throws CommandError
 */
export async function fetchTraceJson(server: Server, id: string): Promise<string> {
  const { answer } = await fetchAnswer(server, id, json);
  return new TextDecoder().decode(answer.body);
}

/** Old servers only have the first version of the route. There, 404 means that there is no such trace. */
async function fetchAnswer(
  server: Server,
  id: string,
  accept: string,
): Promise<{ answer: Answer; version: 1 | 2 }> {
  const second = await ask(server, `/api/v2/traces/${id}`, accept);
  if (second.status === 200) return { answer: second, version: 2 };
  if (second.status !== 404) throw CommandError.failed(refusal(server, second));
  const first = await ask(server, `/api/traces/${id}`, accept);
  if (first.status === 200) return { answer: first, version: 1 };
  throw first.status === 404 && first.body.length === 0
    ? notFound(server, id)
    : CommandError.failed(refusal(server, first));
}

function notFound({ url }: Server, id: string): CommandError {
  return CommandError.failed(`${url} has no trace ${id}`);
}

function decode({ url }: Server, { contentType, body }: Answer, version: 1 | 2): Trace {
  try {
    if (!contentType.includes("protobuf")) return readTraceJson(new TextDecoder().decode(body));
    return version === 2 ? readTraceByIdResponse(body) : readTraceV1(body);
  } catch (error) {
    const reason = error instanceof Error ? printable(error.message) : "";
    throw CommandError.failed(`${url} answered with something other than a trace: ${reason}`);
  }
}
