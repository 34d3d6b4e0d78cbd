import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { FailureCode } from "../../src/failure.ts";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { Workplace, type Outcome } from "../fixtures/worked-example.ts";

let place: Workplace;
let here: string;
beforeAll(() => {
  place = Workplace.followed();
});
afterAll(() => {
  place[Symbol.dispose]();
});
// Another cluster, in a directory of the first one's copy.
beforeEach(() => {
  const lost = place.copy();
  here = join(lost, "new");
  for (const command of [
    "mkdir new",
    "cd new && sealaunch init --operator ../operator.identity --yes",
    "cd new && sealaunch roster add-pool web --yes",
    "cd new && sealaunch roster add-node ../keys/nodes/n1 --pool web --known-hosts ../known_hosts --yes",
    "cd new && sealaunch roster add-signer ann ~/.ssh/id_ed25519.pub --name dns --yes",
  ]) {
    expect(`${command}: ${place.run(command, lost).stderr}`).toBe(`${command}: `);
  }
});

const run = (command: string): Outcome => place.run(command, here);

const refused = (command: string, code: FailureCode): Outcome => expectRefused(run(command), code);

const from = "--from-cluster .. --identity ../operator.identity";
const opened = (credential: string, cluster = "."): string => {
  const configuration = `--config ${cluster}/sealaunch.json --identity ../operator.identity`;
  return expectDone(run(`sealaunch open dns ${credential} ${configuration}`));
};

describe("seal --from-cluster", () => {
  it("seals a bundle of another cluster in this one, for who may have it there", () => {
    expect(expectDone(run(`sealaunch seal dns ${from}`))).toContain(
      "may ask: dns.service, whoever launches in place",
    );
    expectDone(run("sealaunch verify"));
    for (const credential of ["CF_TOKEN", "SESSION_KEY"])
      expect(opened(credential)).toBe(opened(credential, ".."));
    const value = expectDone(run("sealaunch open dns CF_TOKEN --identity ../n1/identity"));
    expect(value).toBe(opened("CF_TOKEN"));
  });

  it("prefers what is given beside it", () => {
    expectDone(run("sealaunch roster add-pool db --yes"));
    expectDone(
      run(
        "sealaunch roster add-node ../keys/nodes/n2 --pool db --known-hosts ../known_hosts --yes",
      ),
    );
    const given = "CF_TOKEN=- --pool db --unit other.service --no-in-place";
    expect(expectDone(run(`printf new | sealaunch seal dns ${given} ${from}`))).toContain(
      "may ask: dns.service, other.service",
    );
    expect(opened("CF_TOKEN")).toBe("new");
    expect(opened("SESSION_KEY")).toBe(opened("SESSION_KEY", ".."));
  });

  it("writes nothing where the other cluster's bundle doesn't open or doesn't verify", () => {
    expectDone(run("sealaunch identity create stranger.identity"));
    refused(
      "sealaunch seal dns --from-cluster .. --identity stranger.identity",
      "bundle/not-for-node",
    );
    refused(`sealaunch seal mail ${from}`, "bundle/absent");
    expectDone(run("rm ../secrets/bundles/dns/0.2/signatures/*"));
    refused(`sealaunch seal dns ${from}`, "signature/unknown-signer");
    refused(`sealaunch seal dns ${from.replace("..", "nowhere")}`, "configuration/missing");
    expect(readdirSync(here)).not.toContain("secrets");
  });

  it("is refused without an identity, and beside another word on what to seal", () => {
    refused("sealaunch seal dns --from-cluster ..", "usage/invalid");
    refused("sealaunch seal dns --identity ../operator.identity", "usage/invalid");
    refused(`sealaunch seal dns --merge main ${from}`, "usage/invalid");
  });
});
