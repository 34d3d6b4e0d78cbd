import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Checkout } from "../fixtures/checkout.ts";
import { expectRefused } from "../fixtures/ended.ts";
import { Repository } from "../fixtures/repository.ts";

const checkout = new Checkout(() => new Repository());
const { run, done } = checkout;

/** Ann, who may, signs the newest record of `folder` anew, under whatever number she likes. */
function leap(folder: string, file: string, type: string, from: string, to: string): void {
  const record = readFileSync(checkout.at(folder, from, file), "utf8");
  const generation = to.split(".").at(-1) ?? "";
  mkdirSync(checkout.at(folder, to, "signatures"), { recursive: true });
  const leaping = record.replace(/"generation": [0-9]+/u, `"generation": ${generation}`);
  writeFileSync(checkout.at(folder, to, file), leaping);
  done(
    `cd ${folder} && for s in ${from}/signatures/*; do name=$(basename $s); done; ssh-keygen -q -Y sign -f ~/.ssh/id_ed25519 -n ${type}@sealaunch < ${to}/${file} > ${to}/signatures/$name`,
  );
}
// The newest statement is bea's; the one before is ann's, and so is the name of its signature.
const leapOfBundle = (to: string): void => {
  leap("secrets/bundles/dns", "statement.json", "bundle", "0.1", to);
};

const last = String(2 ** 48);

describe("a signer who would use up the numbers of a name", () => {
  it("is found by verify, refused by whoever has it opened or sealed, and undone by the roots", () => {
    done("sealaunch verify");
    leapOfBundle(`0.${last}`);
    const { stderr } = expectRefused(run("sealaunch verify"), "generation/leap");
    expect(stderr).toMatch(/^error: bundle dns is at 281474976710656 .+ has seen none: /u);
    expectRefused(run("sealaunch seal dns --generate CF_TOKEN"), "generation/leap");
    expectRefused(run("sealaunch verify --since HEAD"), "generation/leap");

    done("sealaunch roster set-series dns 1 --yes");
    done("sealaunch seal dns --from-generation 0.2");
    done("sealaunch verify");
    expect(done("sealaunch open dns CF_TOKEN --identity n1/identity")).toContain("correct horse");
  });

  it("is undone by taking the generation away too, since no machine has marked it", () => {
    leapOfBundle(`0.${last}`);
    expectRefused(run("sealaunch seal dns --generate CF_TOKEN"), "generation/leap");
    done(`rm -r secrets/bundles/dns/0.${last}`);
    done("sealaunch seal dns --generate CF_TOKEN && sealaunch verify --since HEAD");
  });

  it("is noticed at a thousand, before it matters, and the count goes on from there", () => {
    leapOfBundle("0.1003");
    const { stderr } = expectRefused(run("sealaunch verify"), "generation/leap");
    expect(stderr).toMatch(/^error: bundle dns goes from 2 to 1003, and a step is 1000 at most\n/u);
    done("sealaunch seal dns --generate CF_TOKEN && sealaunch verify");
    // Nor is it hidden behind the next one where a change is judged.
    expectRefused(run("sealaunch verify --since HEAD"), "generation/leap");
  });

  it("isn't found where branches have left a gap", () => {
    leapOfBundle("0.1002");
    done("sealaunch verify --since HEAD");
  });
});

describe("whoever signs a pool file or roster far above the one before", () => {
  it("is found by verify, and nobody seals by it", () => {
    done("sealaunch verify");
    leap("keys/pools/web", "pool.json", "pool", "2", last);
    expect(run("sealaunch verify").stdout).toMatch(/^pool web .+BAD .+ at 281474976710656 /mu);
    expectRefused(run("sealaunch seal dns --generate CF_TOKEN"), "generation/leap");
    done(`rm -r keys/pools/web/${last}`);
    leap("keys/roster", "roster.json", "roster", "4", last);
    expectRefused(run("sealaunch verify"), "generation/leap");
    expectRefused(run("sealaunch seal dns --generate CF_TOKEN"), "generation/leap");
    done(`rm -r keys/roster/${last} && sealaunch seal dns --generate CF_TOKEN`);
  });
});

describe("roster set-minimum and set-series", () => {
  it.each(["set-minimum dns 1003", "set-series dns 1001"])(
    "burn no numbers by a slip: %s",
    (command) => {
      expectRefused(run(`sealaunch roster ${command} --yes`), "usage/invalid");
    },
  );
});
