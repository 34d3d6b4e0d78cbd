import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergeContents, type Contents } from "../../src/trust/merging.ts";

const names = ["a", "b", "c", "d"];
const credential = (name: string, version: number): Contents["credentials"][number] => ({
  name,
  payload: String(version).padStart(64, "0"),
  sizeClass: 1024,
  commitment: "0".repeat(64),
  sealed: "2026-11-25T12:00:00Z",
  sealedBy: "ssh-ed25519 AAAA" as Contents["credentials"][number]["sealedBy"],
  epochs: [{ pool: "web", epoch: 1 }],
});
const time = fc.constantFrom(null, "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z");
const contents: fc.Arbitrary<Contents> = fc
  .record({
    versions: fc.array(fc.nat(2), { minLength: 4, maxLength: 4 }),
    units: fc.subarray(["x.service", "y.service", "z.service"]),
    inPlace: fc.boolean(),
    expires: time,
  })
  .map(({ versions, ...rest }) => ({
    ...rest,
    audience: ["web"],
    // Version 0 stands for a credential that isn't there.
    credentials: names.flatMap((name, index) => {
      const version = versions[index] ?? 0;
      return version === 0 ? [] : [credential(name, version)];
    }),
  }));

const payloadOf = (one: Contents, name: string): string | undefined =>
  one.credentials.find((each) => each.name === name)?.payload;

describe("joining two branches' changes", () => {
  it("takes what one side changed where the other changed nothing", () => {
    fc.assert(
      fc.property(contents, contents, (base, changed) => {
        const nothing = { undecided: [], contents: changed };
        expect(mergeContents(base, base, changed)).toEqual(nothing);
        expect(mergeContents(base, changed, base)).toEqual(nothing);
        expect(mergeContents(base, changed, changed)).toEqual(nothing);
      }),
    );
  });

  it("gives the same whichever side is called ours, but for what is undecided", () => {
    fc.assert(
      fc.property(contents, contents, contents, (base, ours, theirs) => {
        const one = mergeContents(base, ours, theirs);
        const other = mergeContents(base, theirs, ours);
        expect(other.undecided).toEqual(one.undecided);
        const decided = ({ contents: all }: typeof one): Contents => ({
          ...all,
          credentials: all.credentials.filter(({ name }) => !one.undecided.includes(name)),
        });
        expect(decided(other)).toEqual(decided(one));
      }),
    );
  });

  it("leaves undecided exactly what both changed, each otherwise, and loses no other change", () => {
    fc.assert(
      fc.property(contents, contents, contents, (base, ours, theirs) => {
        const { undecided, contents: merged } = mergeContents(base, ours, theirs);
        for (const name of names) {
          const [was, our, their] = [base, ours, theirs].map((one) => payloadOf(one, name));
          const both = our !== was && their !== was && our !== their;
          expect(undecided.includes(name)).toBe(both);
          if (!both) expect(payloadOf(merged, name)).toBe(our === was ? their : our);
        }
      }),
    );
  });
});
