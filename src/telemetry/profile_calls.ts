// Profiles of worker threads: the two calls that every worker serves, and the main thread's view of a worker by them.
import type { CallHandlers, Calls, WorkerClient } from "../threads/call.ts";
import { profileCpu } from "./cpu_profile.ts";
import { profileHeap } from "./heap_profile.ts";
import type { ThreadProfile } from "./pprof.ts";

/** To be part of a worker's interface: `interface ShardApi extends ProfileCalls { … }`. */
export interface ProfileCalls {
  profileCpu: { params: { ms: number }; result: ThreadProfile };
  profileHeap: { params: null; result: ThreadProfile };
}

/** To be spread into what a worker serves. */
export const profileHandlers: CallHandlers<ProfileCalls> = {
  profileCpu: ({ ms }, { signal }) => profileCpu(ms, signal),
  profileHeap,
};

/** A thread that can be profiled. */
export interface ProfiledThread {
  /** Such as `shard 0`. */
  name: string;
  /** Profiles until the time is over or the signal is given; what comes after a signal doesn't matter. */
  cpu(ms: number, signal: AbortSignal): Promise<ThreadProfile>;
  heap(): Promise<ThreadProfile>;
}

/** A worker as a thread that can be profiled. */
export function profiledWorker<Api extends ProfileCalls & Calls<Api>>(
  client: WorkerClient<Api>,
): ProfiledThread {
  const calls = client as unknown as WorkerClient<ProfileCalls>;
  return {
    name: client.name,
    cpu: (ms, signal) => calls.call("profileCpu", { ms }, { signal }),
    heap: () => calls.call("profileHeap", null),
  };
}
