// When a client that wants progress is shown it.

/** At most this often. */
const progressMs = 500;

/** Yields whenever it is time to show how far work has come, and ends when it is done. @throws what the work does */
export async function* untilDone(done: Promise<unknown>): AsyncGenerator<void, void, void> {
  for (;;) {
    const waiting = new AbortController();
    try {
      if (await Promise.race([done.then(() => true), tick(waiting.signal)])) return;
    } finally {
      waiting.abort();
    }
    yield;
  }
}

function tick(signal: AbortSignal): Promise<false> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), progressMs);
    signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  });
}
