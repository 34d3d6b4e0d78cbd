import { clearLine, cursorTo } from "node:readline";

/** For how long nothing is said, in milliseconds, and how often it is said anew. */
const patience = 1000;
const interval = 100;

/** How far something is, on one line of a terminal, which is gone when it is over. */
export interface Progress extends Disposable {
  /** @param number - of the thing that is begun now, from 1 */
  at(number: number): void;
}

/** Nothing is shown before a second, nor where standard error is no terminal. */
export function showProgress(what: string, count: number): Progress {
  const { stderr } = process;
  let next = stderr.isTTY ? performance.now() + patience : Infinity;
  let isShown = false;
  const clear = (): void => {
    cursorTo(stderr, 0);
    clearLine(stderr, 0);
  };
  return {
    at: (number) => {
      if (performance.now() < next) return;
      next = performance.now() + interval;
      isShown = true;
      clear();
      stderr.write(`${what} ${String(number)} of ${String(count)}`);
    },
    [Symbol.dispose]: () => {
      if (isShown) clear();
    },
  };
}
