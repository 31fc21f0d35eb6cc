// Waits for what another process does, and tells what it waited for in vain.

const pollMs = 20;
const msMax = 120_000;

/** @param state what is shown if it does not come to pass */
export async function waitUntil(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  state: () => unknown = () => "",
): Promise<void> {
  const startedMs = performance.now();
  while (!(await isSo())) {
    if (performance.now() - startedMs > msMax)
      throw new Error(`in vain: ${what}; ${JSON.stringify(state())}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
