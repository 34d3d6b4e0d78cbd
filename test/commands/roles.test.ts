import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exitStatus, failures, type FailureCode } from "../../src/failure.ts";
import { refusalLines } from "../fixtures/program.ts";
import { Workplace, type Outcome } from "../fixtures/worked-example.ts";

/** Which keys sign rosters, and how many of them have to. */
interface Trust {
  readonly roots: readonly string[];
  readonly threshold: number;
}

let place: Workplace;
beforeEach(() => {
  place = Workplace.followed("sealaunch verify");
});
afterEach(() => {
  place[Symbol.dispose]();
});

function expectDone(command: string): string {
  const { status, stdout, stderr } = place.run(command);
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return stdout;
}

function expectRefused(command: string, code: FailureCode): Outcome {
  const ended = place.run(command);
  expect(ended.stderr).toMatch(refusalLines);
  expect(ended.status).toBe(exitStatus[failures[code][0]]);
  return ended;
}

/** A key of somebody else's, whom the roster lets sign `dns`. */
function addBea(): void {
  expectDone("ssh-keygen -q -t ed25519 -N '' -C bea -f bea");
  expectDone("sealaunch roster add-signer bea bea.pub --name dns --yes");
}

describe("roster remove-signer", () => {
  it("names what only he signed, and refuses until somebody else has: signer/needed", () => {
    addBea();
    const { stderr } = expectRefused("sealaunch roster remove-signer ann --yes", "signer/needed");
    expect(stderr).toContain("dns 1");
    expect(stderr).toContain("sealaunch seal dns --resign");
    expectDone("sealaunch seal dns --resign --signer bea --json");
    expect(expectDone("sealaunch roster remove-signer ann --yes")).toContain("- signer ann");
    expectDone("sealaunch verify");
  });

  it("lets what only he signed start no more where that is meant", () => {
    const { stdout } = place.run("sealaunch roster remove-signer ann --revoke --yes");
    expect(stdout).toContain("only ann has signed dns 1");
    expectRefused("sealaunch verify dns", "signature/unknown-signer");
  });

  it("leaves a way back to a name of which nothing counts: a new series", () => {
    addBea();
    expectDone("sealaunch roster remove-signer ann --revoke --yes");
    const again = "sealaunch seal dns CF_TOKEN=token --pool web --in-place --signer bea";
    expectRefused(again, "signature/unknown-signer");
    expectDone("sealaunch roster set-series dns 1 --yes");
    expectDone(again);
    expectDone("sealaunch verify");
  });

  it("says of a bundle that it can't be judged, and goes on", () => {
    addBea();
    expectDone("sealaunch seal dns --resign --signer bea");
    expectDone("sealaunch roster add-signer ann ~/.ssh/id_ed25519.pub --name other --yes");
    expectDone("sealaunch roster add-signer bea bea.pub --name other --yes");
    const { status, stderr } = place.run("sealaunch roster remove-signer ann --yes");
    expect(stderr).toMatch(/^warning: bundle dns can't be judged \(signer\/not-allowed\).*\n$/u);
    expect(status).toBe(0);
  });

  it("removes nobody who isn't there: signer/unknown", () => {
    const { stderr } = expectRefused("sealaunch roster remove-signer eve --yes", "signer/unknown");
    expect(stderr).toContain("only ann");
  });
});

describe("a pool's managers", () => {
  it("change without any start being refused in between: signer/needed", () => {
    addBea();
    const remove = "sealaunch roster remove-manager web ~/.ssh/id_ed25519.pub --yes";
    expect(expectRefused(remove, "signer/needed").stderr).toContain("add-manager web");
    expect(expectDone("sealaunch roster add-manager web bea.pub --yes")).toContain("+ pool web");
    expect(expectDone("sealaunch roster add-manager web bea.pub --yes")).toContain("nothing to do");
    expect(expectRefused(remove, "signer/needed").stderr).toContain("roster sign --pool web");
    expectDone("sealaunch roster sign --pool web --signer bea --yes");
    expectDone(remove);
    expectDone("sealaunch verify");
  });

  it("are none of those that aren't there", () => {
    addBea();
    expectRefused("sealaunch roster remove-manager web bea.pub --yes", "signer/unknown");
    expectRefused("sealaunch roster add-manager db bea.pub --yes", "pool/unknown");
  });
});

describe("the root keys", () => {
  /** The checkout trusts what the newest roster says, as a node's configuration would say it. */
  const trustNewest = (): void => {
    const newest = expectDone("ls keys/roster | sort -n | tail -n 1").trim();
    const text = expectDone(`cat keys/roster/${newest}/roster.json`);
    const { roots, threshold } = JSON.parse(text) as Trust;
    const file = join(place.directory, "sealaunch.json");
    const configuration = JSON.parse(readFileSync(file, "utf8")) as object;
    writeFileSync(file, JSON.stringify({ ...configuration, roots, threshold }));
  };

  it("are exchanged: old and new ones sign until configurations name the new", () => {
    expectDone("ssh-keygen -q -t ed25519 -N '' -C new -f new");
    expectDone("cp sealaunch.json old.json");
    expect(expectDone("sealaunch roster add-root new.pub --yes")).toContain("+ root SHA256:");
    const removed = expectDone(
      "sealaunch roster remove-root ~/.ssh/id_ed25519.pub --signer ~/.ssh/id_ed25519.pub --yes",
    );
    expect(removed).toContain("doesn't count before 1 more of");
    expect(removed).toContain("ssh-ed25519");
    expectDone("sealaunch roster sign --signer new --yes");
    // Whoever still trusts the old key reads it, and so does whoever trusts the new one.
    expectDone("sealaunch verify");
    trustNewest();
    expectDone("sealaunch verify");
    expectDone("sealaunch roster sign --renew --signer new --yes");
    expectDone("sealaunch verify");
    // The new key alone convinces nobody who wasn't told of it.
    expectDone("cp old.json sealaunch.json");
    expectRefused("sealaunch verify", "signature/unknown-signer");
  });

  it("become two of three, and a lost one is replaced by the others", () => {
    expectDone("for k in b c d; do ssh-keygen -q -t ed25519 -N '' -C $k -f $k; done");
    expectDone("sealaunch roster add-root b.pub --yes");
    const waits = expectDone(
      "sealaunch roster add-root c.pub --threshold 2 --signer ~/.ssh/id_ed25519.pub --yes",
    );
    expect(waits).toContain("+ 2 of the root keys must sign");
    expectDone("sealaunch roster sign --signer b --yes");
    expectDone("sealaunch verify");
    // From here on the checkout trusts what that roster says.
    trustNewest();
    expectDone("sealaunch verify");
    // Ann's is lost: b and c do without it.
    expectDone("sealaunch roster add-root d.pub --signer b --yes");
    expectDone("sealaunch roster sign --signer c --yes");
    expectDone("sealaunch roster remove-root ~/.ssh/id_ed25519.pub --signer b --yes");
    expectDone("sealaunch roster sign --signer c --yes");
    expectDone("sealaunch verify");
  });

  it("are never fewer than have to sign", () => {
    expectRefused("sealaunch roster remove-root ~/.ssh/id_ed25519.pub --yes", "usage/invalid");
    expectDone("ssh-keygen -q -t ed25519 -N '' -f x");
    expectRefused("sealaunch roster remove-root x.pub --yes", "signer/unknown");
    expectRefused("sealaunch roster add-root x.pub --threshold 3 --yes", "usage/invalid");
  });
});
