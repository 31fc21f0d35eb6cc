// gRPC's health service: whether the process takes spans and queries.
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Health, HealthCheckResponse_ServingStatus as Status } from "../gen/grpc/health/v1/health_pb.ts";

/** How often a watched status is looked at. */
const watchMs = 1000;

/**
 * @param serving whether the server is ready
 * @param services full names of the services on this port; all share the server's status
 * @param stopping ends what is watched
 */
export function healthService(
  serving: () => boolean,
  services: string[],
  stopping: AbortSignal,
): ServiceImpl<typeof Health> {
  const status = () => (serving() ? Status.SERVING : Status.NOT_SERVING);
  const known = (service: string) => service === "" || services.includes(service);
  return {
    check({ service }) {
      if (!known(service)) throw new ConnectError("unknown service", Code.NotFound);
      return { status: status() };
    },

    list() {
      return {
        statuses: Object.fromEntries(["", ...services].map((service) => [service, { status: status() }])),
      };
    },

    async *watch({ service }, { signal }: HandlerContext) {
      let last: Status | undefined;
      const end = AbortSignal.any([signal, stopping]);
      while (!end.aborted) {
        const now = known(service) ? status() : Status.SERVICE_UNKNOWN;
        if (now !== last) yield { status: now };
        last = now;
        await sleep(watchMs, end);
      }
    },
  };
}

/** Resolves after that time, or when the signal is given. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
