import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareVersions, snapshotOf } from "../../src/scan/version.ts";
import { count, seed } from "../soak.ts";
import { expectLinear } from "./growth.ts";

// Each line is in rising order. Upstreams' own release histories.
const rising: Readonly<Record<string, readonly string[]>> = {
  "letters of OpenSSL": [
    "0.9.8y",
    "0.9.8z",
    "0.9.8za",
    "0.9.8zf",
    "1.0.0",
    "1.0.0a",
    "1.0.1-beta1",
    "1.0.1",
    "1.1.1",
    "1.1.1k",
    "1.1.1l",
    "1.1.1w",
    "3.0.0-alpha1",
    "3.0.0-beta1",
    "3.0.0",
    "3.0.10",
  ],
  "patch levels of OpenSSH": ["9.7p1", "9.8", "9.8p1", "9.9p1", "9.9p2", "10.0p1", "10.0p2"],
  "patch levels of sudo and ntp": ["1.9.5", "1.9.5p1", "1.9.5p2", "1.9.6", "4.2.8p9", "4.2.8p15"],
  "patches of bash": ["4.4-p12", "4.4-p23", "5.0", "5.1-p16", "5.2", "5.2-p37", "5.3"],
  "before a release": [
    "1.0dev",
    "1.0alpha2",
    "1.0beta1",
    "1.0pre3",
    "1.0rc1",
    "1.0-rc2",
    "1.0",
    "1.0.1",
  ],
  "Python's own": ["3.12.7", "3.13.0a1", "3.13.0a6", "3.13.0b1", "3.13.0rc1", "3.13.0", "3.13.1"],
  "builds of ImageMagick": ["7.1.1", "7.1.1-9", "7.1.1-32", "7.1.2-0"],
  "revisions of nixpkgs": ["2.42", "2.42-51", "2.42-67", "2.43"],
  snapshots: ["1.17.1", "1.17.1-unstable-2025-05-24", "1.17.1-unstable-2025-06-01", "1.17.2"],
  "Debian's tilde": ["1.0~rc1", "1.0", "1.0+dfsg", "1.1"],
  dates: ["20190105", "20210910-3.1", "2024.01.05", "2024.10.1"].slice(2),
  "numbers of any length": [
    "1.9007199254740992",
    "1.9007199254740993",
    "1.99999999999999999999999999",
  ],
  "letters after a year": ["2023c", "2023d", "2024a", "2024b", "2025a"],
};

const same: readonly (readonly [string, string])[] = [
  ["153.0", "153.0.0"],
  ["1", "1.0.0.0"],
  ["v1.2.3", "1.2.3"],
  ["1.05", "1.5"],
  ["4.1.0.Final", "4.1"],
  ["8.0-ga", "8"],
  ["1.0-rc1", "1.0.0rc1"],
  ["1.0_rc1", "1.0.rc1"],
  ["5.1-p16", "5.1p16"],
  ["1.9.5p1", "1.9.5patch1"],
  ["1.0.0-RC1", "1.0.0-rc1"],
];

// Short texts of what stands in versions, and any others.
const version = fc.oneof(
  fc
    .array(
      fc.constantFrom(
        "0",
        "1",
        "2",
        "10",
        "007",
        ".",
        "-",
        "+",
        "~",
        "_",
        "a",
        "b",
        "rc",
        "p",
        "beta",
        "unstable",
        "final",
        "zz",
      ),
      { maxLength: 9 },
    )
    .map((parts) => parts.join("")),
  fc.string({ maxLength: 12, unit: "binary" }),
);

describe("versions", () => {
  it.for(Object.entries(rising))("follow one another: %s", ([, line]) => {
    for (const [at, lower] of line.entries())
      for (const higher of line.slice(at + 1)) {
        expect([lower, higher, compareVersions(lower, higher) < 0]).toEqual([lower, higher, true]);
        expect([higher, lower, compareVersions(higher, lower) > 0]).toEqual([higher, lower, true]);
      }
  });

  it.for(same)("%s is %s", ([one, other]) => {
    expect(compareVersions(one, other)).toBe(0);
    expect(compareVersions(other, one)).toBe(0);
  });

  it("are in a total order: antisymmetric, and transitive, also where two are equal", () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(Math.sign(compareVersions(a, b))).toBe(0 - Math.sign(compareVersions(b, a)));
        const [low, middle, high] = [a, b, c].sort(compareVersions) as [string, string, string];
        expect(compareVersions(low, middle)).toBeLessThanOrEqual(0);
        expect(compareVersions(middle, high)).toBeLessThanOrEqual(0);
        expect(compareVersions(low, high)).toBeLessThanOrEqual(0);
        if (compareVersions(low, high) === 0) {
          expect(compareVersions(low, middle)).toBe(0);
          expect(compareVersions(middle, high)).toBe(0);
        }
      }),
      { numRuns: count(100_000), seed },
    );
  });

  it.for(["1", "1.", "a1", "-", "1-unstable-", "20"])(
    "made to be slow are compared in their length's time: %s again and again",
    async (piece) => {
      await expectLinear(
        100_000,
        (size) => piece.repeat(size),
        (text) => {
          compareVersions(text, `${text}1`);
          snapshotOf(text);
        },
      );
    },
  );
});

describe("a snapshot", () => {
  it.for([
    ["1.17.1-unstable-2025-05-24", "1.17.1", "2025-05-24"],
    ["0-unstable-2024-01-01", undefined, "2024-01-01"],
    ["unstable-2021-08-16", undefined, "2021-08-16"],
    ["0.5.3+git20190105", "0.5.3", "20190105"],
    ["1.2-git", "1.2", undefined],
  ] as const)("%s follows %s and is of %s", ([text, base, date]) => {
    expect(snapshotOf(text)).toEqual({ base, date });
  });

  it.for(["1.2.3", "2.42-67", "20210910-3.1", "1.0-rc1", "2.48.1", "gitea-1"])(
    "isn't %s",
    (text) => {
      expect(snapshotOf(text)).toBeUndefined();
    },
  );
});
