/** How long a condition may take to come true before the test fails. A bound, not an expectation. */
const CONDITION_MAX_MS = 60_000;
const POLL_MS = 50;

/** Asks again until the condition holds. @throws with what was asked last when it does not come true. */
export async function eventually<T>(what: string, ask: () => Promise<T> | T, holds: (value: T) => boolean): Promise<T> {
  const giveUpAt = Date.now() + CONDITION_MAX_MS;
  for (;;) {
    const value = await ask();
    if (holds(value)) return value;
    if (Date.now() > giveUpAt) throw new Error(`not true in time: ${what}; last: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
