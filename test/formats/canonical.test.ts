import * as z from "zod/mini";
import { afterEach, describe, expect, it } from "vitest";
import { decodeServiceFile } from "../../src/formats/service-file.ts";

const refusal = (): string => {
  try {
    decodeServiceFile(new TextEncoder().encode(`{"version": 1, "name": 7}`), "dns.json");
    return "nothing";
  } catch (error) {
    return String(error);
  }
};

describe("what a field is refused with", () => {
  afterEach(() => {
    z.config({ localeError: undefined });
  });

  it("is the same where another package has given zod a language, for all who use it", () => {
    const before = refusal();
    expect(before).toContain("dns.json: name: invalid type");
    z.config(z.locales.de());
    expect(refusal()).toBe(before);
  });
});
