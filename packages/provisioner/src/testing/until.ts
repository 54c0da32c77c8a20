import { setTimeout as sleep } from "node:timers/promises";

/** Polls until `condition` holds a value and answers it; throws after `boundMs` with what it last saw. */
export async function until<T>(
  what: string,
  condition: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  boundMs = 5_000,
): Promise<T> {
  const end = performance.now() + boundMs;
  for (;;) {
    const value = await condition();
    if (value !== null && value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`Waited in vain until ${what}.`);
    await sleep(10);
  }
}
