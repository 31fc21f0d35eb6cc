import { expect, test } from "bun:test";
import { Registry } from "../telemetry/metrics.ts";
import { QueryCanceled, QueryTimeout } from "./query_errors.ts";
import { QueryTurns, QueueFull, type TurnLimits } from "./query_turns.ts";

const never = new AbortController().signal;
const limits: TurnLimits = { runningMax: 2, answerBytesMax: 100, waitingMax: 2, waitMsMax: 60_000 };
const turnsOf = (over: Partial<TurnLimits> = {}, registry = new Registry()) =>
  new QueryTurns("traces", { ...limits, ...over }, registry);

/** The names of the queries that have begun, in their order. */
function starter(turns: QueryTurns) {
  const begun: string[] = [];
  const begin = (name: string, signal = never) => turns.begin(signal).then(() => void begun.push(name));
  return { begun, begin };
}

test("so many run at a time, and the others in the order in which they came", async () => {
  const turns = turnsOf();
  const { begun, begin } = starter(turns);
  await begin("a");
  await begin("b");
  const rest = [begin("c"), begin("d")];
  expect(begun).toEqual(["a", "b"]);
  turns.end(0)();
  await rest[0];
  expect(begun).toEqual(["a", "b", "c"]);
  turns.end(0)();
  await rest[1];
  expect(begun).toEqual(["a", "b", "c", "d"]);
});

test("none begins while the answers that have not been taken are too large together", async () => {
  const registry = new Registry();
  const turns = turnsOf({}, registry);
  const { begun, begin } = starter(turns);
  await begin("a");
  await begin("b");
  const takenA = turns.end(60);
  const takenB = turns.end(50);
  const waiting = begin("c");
  await Promise.resolve();
  expect(begun).toEqual(["a", "b"]);
  const text = await registry.render();
  expect(text).toContain('\nrubato_answer_bytes{op="traces"} 110\n');
  expect(text).toContain('\ntempo_query_frontend_queue_length{op="traces"} 1\n');
  takenB();
  await waiting;
  expect(begun).toEqual(["a", "b", "c"]);
  takenA();
  expect(await registry.render()).toContain('\nrubato_answer_bytes{op="traces"} 0\n');
});

test("who can't wait, or won't, leaves the line to the others", async () => {
  const turns = turnsOf({ runningMax: 1 });
  const { begun, begin } = starter(turns);
  await begin("a");
  const client = new AbortController();
  const gone = begin("b", client.signal);
  const patient = begin("c");
  expect(begin("d")).rejects.toBeInstanceOf(QueueFull);
  client.abort();
  expect(gone).rejects.toBeInstanceOf(QueryCanceled);
  expect(begin("e", client.signal)).rejects.toBeInstanceOf(QueryCanceled);
  turns.end(0);
  await patient;
  expect(begun).toEqual(["a", "c"]);
});

test("a turn that does not come in time is a query that takes too long", async () => {
  const turns = turnsOf({ runningMax: 1, waitMsMax: 1 });
  await turns.begin(never);
  expect(turns.begin(never)).rejects.toBeInstanceOf(QueryTimeout);
});
