// Routes that move the process: /flush and /shutdown, kept for the tooling of Tempo 2.
import { Hono } from "hono";
import { log } from "../telemetry/log.ts";

export interface LifecycleDeps {
  /** Writes what is held in memory to blocks, of one tenant or of all. */
  flush(tenant: string | undefined): Promise<unknown>;
  /** Begins the graceful end of the process, without waiting for it. */
  shutdown(): void;
}

export function lifecycleRoutes({ flush, shutdown }: LifecycleDeps): Hono {
  const app = new Hono();
  app.on(["GET", "POST"], "/flush", async (c) => {
    await flush(c.req.query("tenant") || undefined);
    return c.body(null, 204);
  });
  app.on(["GET", "POST"], "/shutdown", (c) => {
    log.info("shutdown asked for", { route: "/shutdown" });
    setImmediate(shutdown); // behind the answer
    return c.body(null, 204);
  });
  return app;
}
