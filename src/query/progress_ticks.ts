// When a client that wants progress is shown it.

/** At most this often. */
const progressMs = 500;
/** Where the whole answer follows so soon, the first of it is not shown by itself. */
const firstMs = 10;

/**
 * Yields whenever it is time to show how far work has come, and ends when it is done.
 *
 * @param first resolves when there is something to show for the first time, which is not kept back
 * @throws what the work does
 */
export async function* untilDone(
  done: Promise<unknown>,
  first: Promise<unknown> | null = null,
): AsyncGenerator<void, void, void> {
  for (let early = first; ; early = null) {
    const waiting = new AbortController();
    try {
      const moments = [done.then(() => true), tick(progressMs, waiting.signal)];
      if (early !== null) moments.push(early.then(() => tick(firstMs, waiting.signal)));
      if (await Promise.race(moments)) return;
    } finally {
      waiting.abort();
    }
    yield;
  }
}

function tick(ms: number, signal: AbortSignal): Promise<false> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  });
}
