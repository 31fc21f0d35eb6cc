// What the operating system knows of this process, under the names that every Prometheus client uses, and how late
// the main thread's event loop runs.
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { log } from "./log.ts";
import type { Registry } from "./metrics.ts";

/** How often the event loop is asked to be on time. */
export const lagProbeMs = 500;
/** The lag shown is the worst of this time or a little more, so that scrapes can't miss a stall. */
export const lagWindowMs = 30_000;

/** Registers the metrics of this process. Returns what stops them. */
export function registerProcessMetrics(registry: Registry): () => void {
  const cpu = registry.counter(
    "process_cpu_seconds_total",
    "CPU time of all threads, user and system, in seconds.",
  );
  const resident = registry.gauge("process_resident_memory_bytes", "Resident memory in bytes.");
  const peak = registry.gauge(
    "rubato_process_resident_memory_peak_bytes",
    "Highest resident memory so far in bytes.",
  );
  const start = registry.gauge("process_start_time_seconds", "Start of the process in seconds since 1970.");
  const lag = registry.gauge(
    "rubato_event_loop_lag_seconds",
    "The longest that the main thread's event loop was late within the last 30 to 60 seconds.",
  );
  const dropped = registry.counter(
    "rubato_log_lines_dropped_total",
    "Log lines dropped because stderr's reader stalled.",
  );
  const files = openFiles();
  const open = files && registry.gauge("process_open_fds", "Open file descriptors.");
  const most = files && registry.gauge("process_max_fds", "Most file descriptors that may be open.");
  start.set({}, Date.now() / 1000 - process.uptime());

  const loop = watchEventLoop();
  const off = registry.onCollect(() => {
    const { user, system } = process.cpuUsage();
    cpu.setTotal({}, (user + system) / 1e6);
    resident.set({}, process.memoryUsage.rss());
    peak.set({}, process.resourceUsage().maxRSS * 1024);
    lag.set({}, loop.worstMs() / 1000);
    dropped.setTotal({}, log.droppedLines());
    if (files) {
      open?.set({}, files.open());
      most?.set({}, files.most);
    }
  });
  return () => {
    off();
    loop.stop();
  };
}

/** Open files and their limit as Linux tells them; undefined where there is no /proc. */
function openFiles(): { open: () => number; most: number } | undefined {
  try {
    const limit = /^Max open files\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1];
    const open = () => readdirSync("/proc/self/fd").length - 1; // without the one that reads the folder
    open();
    return {
      open,
      most: limit === undefined || limit === "unlimited" ? Number.POSITIVE_INFINITY : Number(limit),
    };
  } catch {
    return undefined;
  }
}

/** Measures how late a timer fires. (perf_hooks' monitorEventLoopDelay measures nothing on Deno.) */
export function watchEventLoop(now: () => number = () => performance.now()): {
  /** To be called every `lagProbeMs`; a timer does so. */
  probe(): void;
  worstMs(): number;
  stop(): void;
} {
  let due = now() + lagProbeMs;
  let windowEnd = now() + lagWindowMs;
  let worst = 0;
  let worstBefore = 0;
  const probe = () => {
    const time = now();
    if (time >= windowEnd) {
      worstBefore = time < windowEnd + lagWindowMs ? worst : 0;
      worst = 0;
      windowEnd = time + lagWindowMs;
    }
    worst = Math.max(worst, time - due);
    due = time + lagProbeMs;
  };
  const timer = setInterval(probe, lagProbeMs);
  timer.unref();
  return {
    probe,
    // A stall that is still going on when someone asks counts too.
    worstMs: () => Math.max(0, worst, worstBefore, now() - due),
    stop: () => clearInterval(timer),
  };
}
