import { setTimeout as pause } from "node:timers/promises";
import type { Failure } from "../failure.ts";

/** How often something is sent that a server didn't take. */
const attempts = 5;
/** How long the first pause is; each further one is twice as long. In milliseconds. */
const firstPause = 200;

/** What an attempt came to: a value, or why it may be made again. */
export type Attempt<T> = { readonly value: T } | { readonly failure: Failure };

/** What came of the first attempt that succeeded. @throws Failure that of the last, or what it throws */
export async function retry<T>(attempt: () => Promise<Attempt<T>>): Promise<T> {
  for (let number = 1; ; number++) {
    const result = await attempt();
    if ("value" in result) return result.value;
    if (number === attempts) throw result.failure;
    // A little apart: all that one server didn't take would otherwise come again at once.
    const [random = 0] = crypto.getRandomValues(new Uint8Array(1));
    await pause(firstPause * 2 ** (number - 1) * (1 + random / 512));
  }
}
