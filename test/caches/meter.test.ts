import fc from "fast-check";
import { expect, it } from "vitest";
import { meterOf } from "../../src/caches/meter.ts";

type Said = readonly ["packed", number] | readonly ["sent", number];

function toldOf(narSize: number, isSent: boolean, said: readonly Said[]): number[] {
  const told: number[] = [];
  const meter = meterOf(narSize, isSent, (bytes) => told.push(bytes));
  for (const [what, bytes] of said) {
    if (what === "packed") meter.packed(bytes);
    else meter.sent(bytes, 500);
  }
  return told;
}

const cases: readonly (readonly [string, boolean, readonly Said[], readonly number[]])[] = [
  [
    "packing alone, where nothing is sent",
    false,
    [
      ["packed", 300],
      ["packed", 700],
    ],
    [300, 700],
  ],
  [
    "packing as half of it, where it is sent",
    true,
    [
      ["packed", 300],
      ["packed", 700],
    ],
    [150, 350],
  ],
  [
    "sending as the other half",
    true,
    [
      ["packed", 1000],
      ["sent", 100],
      ["sent", 500],
    ],
    [500, 100, 400],
  ],
  [
    "what is sent again only when it is further than before",
    true,
    [
      ["packed", 1000],
      ["sent", 400],
      ["sent", 100],
      ["sent", 500],
    ],
    [500, 400, 100],
  ],
  [
    "no more than there is",
    false,
    [
      ["packed", 900],
      ["packed", 900],
    ],
    [900, 100],
  ],
];

it.for(cases)("an archive's meter counts %s", ([, isSent, said, expected]) => {
  expect(toldOf(1000, isSent, said)).toEqual(expected);
});

it("an archive's meter comes to its size at the end, whatever was said", () => {
  const anySaid = fc.array(
    fc.tuple(fc.constantFrom("packed" as const, "sent" as const), fc.integer({ min: 0, max: 500 })),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.boolean(), anySaid, (size, isSent, said) => {
      let sum = 0;
      const meter = meterOf(size, isSent, (bytes) => {
        expect(bytes).toBeGreaterThan(0);
        sum += bytes;
        expect(sum).toBeLessThanOrEqual(size);
      });
      for (const [what, bytes] of said) {
        if (what === "packed") meter.packed(bytes);
        else meter.sent(bytes, 500);
      }
      meter.end();
      expect(sum).toBe(size);
    }),
  );
});
