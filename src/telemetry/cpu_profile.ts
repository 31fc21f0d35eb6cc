// Samples where the calling thread spends its time, through the runtime's own sampling profiler.
import type { Profiler } from "node:inspector";
import type { Frame, Sample, ThreadProfile } from "./pprof.ts";

/** Time between two samples: fine enough for a part of a percent in 30 s, coarse enough not to be seen in what it measures. */
export const cpuSampleNs = 5_000_000;

/**
 * Profiles the calling thread until the time is over or the signal is given.
 *
 * @returns samples with two values: how often the stack was met, and the nanoseconds that this stands for
 */
export async function profileCpu(ms: number, signal?: AbortSignal): Promise<ThreadProfile> {
  const { Session } = await import("node:inspector"); // costs memory that a server without a profile doesn't need
  const session = new Session();
  session.connect();
  try {
    await post(session, "Profiler.enable");
    await post(session, "Profiler.setSamplingInterval", { interval: cpuSampleNs / 1000 });
    await post(session, "Profiler.start");
    await sleep(ms, signal);
    const { profile } = (await post(session, "Profiler.stop")) as Profiler.StopReturnType;
    return fromInspector(profile);
  } finally {
    session.disconnect();
  }
}

type Session = InstanceType<typeof import("node:inspector").Session>;

function post(session: Session, method: string, parameters: object = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    session.post(method, parameters, (error, result) => (error ? reject(error) : resolve(result)));
  });
}

/** Turns the inspector's tree of calls, with hits per node, into stacks. */
export function fromInspector(profile: Profiler.Profile): ThreadProfile {
  const frames: Frame[] = [];
  const samples: Sample[] = [];
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const first = profile.nodes[0];
  // A stack of its own: calls can be nested deeper than recursion goes.
  const open: { node: Profiler.ProfileNode; callers: number[] }[] = first
    ? [{ node: first, callers: [] }]
    : [];
  for (let next = open.pop(); next; next = open.pop()) {
    const { node, callers } = next;
    const { functionName, url, lineNumber } = node.callFrame;
    // Time asleep is no CPU time. (JavaScriptCore doesn't sample it in the first place.)
    if (functionName === "(idle)") continue;
    const isRoot = node === first;
    const frame = {
      name: cleanName(functionName),
      file: filePath(url),
      line: url === "" ? 0 : lineNumber + 1,
    };
    let rest = node.hitCount ?? 0;
    for (const { line, ticks } of isRoot ? [] : (node.positionTicks ?? [])) {
      const hits = Math.min(ticks, rest);
      if (url !== "" && hits > 0) add({ ...frame, line }, hits, callers);
      if (url !== "") rest -= hits;
    }
    if (!isRoot && rest > 0) add(frame, rest, callers);
    if (!node.children) continue;
    const stack = isRoot ? [] : [frames.push(frame) - 1, ...callers];
    for (const id of node.children) {
      const child = nodes.get(id);
      if (child) open.push({ node: child, callers: stack });
    }
  }
  return { frames, samples };

  function add(frame: Frame, hits: number, callers: number[]): void {
    samples.push({ stack: [frames.push(frame) - 1, ...callers], values: [hits, hits * cpuSampleNs] });
  }
}

/** JavaScriptCore wraps the names of WASM functions: `.wasm-function[wasm/batch/decode]`. */
function cleanName(name: string): string {
  const wasm = /^\.?wasm-function\[(.*)\]$/.exec(name)?.[1];
  if (wasm === undefined) return name === "" ? "(anonymous)" : name;
  return /^\d+$/.test(wasm) ? `wasm-function[${wasm}]` : wasm;
}

function filePath(url: string): string {
  return url.startsWith("file://") ? decodeURIComponent(new URL(url).pathname) : url;
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
  });
}
