import { expect } from "vitest";

/** The larger input is so many times the smaller: linear work takes so many times longer, square work its square. */
const times = 16;

/** Work of less than this is a start, or noise (µs). */
const least = 2_000;

/**
 * Holds that what `work` costs grows with the size of its input, and not with its square. It compares
 * this process's own time for two sizes, the best of three each, so that neither how fast the machine
 * is nor what else it does has a say.
 */
export async function expectLinear<Input>(
  size: number,
  make: (size: number) => Input,
  work: (input: Input) => unknown,
): Promise<void> {
  const costOf = async (input: Input): Promise<number> => {
    const costs: number[] = [];
    for (let round = 0; round < 3; round++) {
      const began = process.cpuUsage();
      await work(input);
      const { user, system } = process.cpuUsage(began);
      costs.push(user + system);
    }
    return Math.min(...costs);
  };
  const [small, large] = [make(size), make(size * times)];
  const [one, many] = [Math.max(least, await costOf(small)), await costOf(large)];
  expect(many / one, `${String(many)} µs after ${String(one)} µs`).toBeLessThan(times * 4);
}
