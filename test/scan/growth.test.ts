import { describe, expect, it } from "vitest";
import { expectLinear } from "./growth.ts";

const make = (size: number): string => "a".repeat(size);

describe("growth", () => {
  it("with an input's size is told from growth with its square", async () => {
    await expectLinear(100_000, make, (text) => text.split("").join("b"));
    // For each place it looks through all that follows, as a pattern does that gives back.
    const square = expectLinear(2_000, make, (text) => /a*b/.test(text));
    await expect(square).rejects.toThrow("µs after");
  });
});
