import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FailureCode } from "../../src/failure.ts";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
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

const done = (command: string): string => expectDone(place.run(command));

const refused = (command: string, code: FailureCode): Outcome =>
  expectRefused(place.run(command), code);

describe("roster remove-signer", () => {
  it("names what only he signed, and refuses until somebody else has: signer/needed", () => {
    place.addBea();
    const { stderr } = refused("sealaunch roster remove-signer ann --yes", "signer/needed");
    expect(stderr).toContain("dns 1");
    expect(stderr).toContain("sealaunch seal dns --resign");
    done("sealaunch seal dns --resign --signer bea --json");
    expect(done("sealaunch roster remove-signer ann --yes")).toContain("- signer ann");
    done("sealaunch verify");
  });

  it("lets what only he signed start no more where that is meant", () => {
    const { stdout } = place.run("sealaunch roster remove-signer ann --revoke --yes");
    expect(stdout).toContain("only ann has signed dns 1");
    refused("sealaunch verify dns", "signature/unknown-signer");
  });

  it("leaves a way back to a name of which nothing counts: a new series", () => {
    place.addBea();
    done("sealaunch roster remove-signer ann --revoke --yes");
    const again = "sealaunch seal dns CF_TOKEN=token --pool web --in-place --signer bea";
    refused(again, "signature/unknown-signer");
    done("sealaunch roster set-series dns 1 --yes");
    done(again);
    done("sealaunch verify");
  });

  it("says of a bundle that it can't be judged, and goes on", () => {
    place.addBea();
    done("sealaunch seal dns --resign --signer bea");
    done("sealaunch roster add-signer ann ~/.ssh/id_ed25519.pub --name other --yes");
    done("sealaunch roster add-signer bea bea.pub --name other --yes");
    const { status, stderr } = place.run("sealaunch roster remove-signer ann --yes");
    expect(stderr).toMatch(/^warning: bundle dns can't be judged \(signer\/not-allowed\).*\n$/u);
    expect(status).toBe(0);
  });

  it("removes nobody who isn't there: signer/unknown", () => {
    const { stderr } = refused("sealaunch roster remove-signer eve --yes", "signer/unknown");
    expect(stderr).toContain("only ann");
  });
});

describe("a pool's managers", () => {
  it("change without any start being refused in between: signer/needed", () => {
    place.addBea();
    const remove = "sealaunch roster remove-manager web ~/.ssh/id_ed25519.pub --yes";
    expect(refused(remove, "signer/needed").stderr).toContain("add-manager web");
    expect(done("sealaunch roster add-manager web bea.pub --yes")).toContain("+ pool web");
    expect(done("sealaunch roster add-manager web bea.pub --yes")).toContain("nothing to do");
    expect(refused(remove, "signer/needed").stderr).toContain("roster sign --pool web");
    done("sealaunch roster sign --pool web --signer bea --yes");
    done(remove);
    done("sealaunch verify");
  });

  it("are none of those that aren't there", () => {
    place.addBea();
    refused("sealaunch roster remove-manager web bea.pub --yes", "signer/unknown");
    refused("sealaunch roster add-manager db bea.pub --yes", "pool/unknown");
  });
});

describe("the root keys", () => {
  /** The checkout trusts what the newest roster says, as a node's configuration would say it. */
  const trustNewest = (): void => {
    const newest = done("ls keys/roster | sort -n | tail -n 1").trim();
    const text = done(`cat keys/roster/${newest}/roster.json`);
    const { roots, threshold } = JSON.parse(text) as Trust;
    const file = join(place.directory, "sealaunch.json");
    const configuration = JSON.parse(readFileSync(file, "utf8")) as object;
    writeFileSync(file, JSON.stringify({ ...configuration, roots, threshold }));
  };

  it("are exchanged: old and new ones sign until configurations name the new", () => {
    done("ssh-keygen -q -t ed25519 -N '' -C new -f new");
    done("cp sealaunch.json old.json");
    expect(done("sealaunch roster add-root new.pub --yes")).toContain("+ root SHA256:");
    const removed = done(
      "sealaunch roster remove-root ~/.ssh/id_ed25519.pub --signer ~/.ssh/id_ed25519.pub --yes",
    );
    expect(removed).toContain("doesn't count before 1 more of");
    expect(removed).toContain("ssh-ed25519");
    done("sealaunch roster sign --signer new --yes");
    // Whoever still trusts the old key reads it, and so does whoever trusts the new one.
    done("sealaunch verify");
    trustNewest();
    done("sealaunch verify");
    done("sealaunch roster sign --renew --signer new --yes");
    done("sealaunch verify");
    // The new key alone convinces nobody who wasn't told of it.
    done("cp old.json sealaunch.json");
    refused("sealaunch verify", "signature/unknown-signer");
  });

  it("become two of three, and a lost one is replaced by the others", () => {
    done("for k in b c d; do ssh-keygen -q -t ed25519 -N '' -C $k -f $k; done");
    done("sealaunch roster add-root b.pub --yes");
    const waits = done(
      "sealaunch roster add-root c.pub --threshold 2 --signer ~/.ssh/id_ed25519.pub --yes",
    );
    expect(waits).toContain("+ 2 of the root keys must sign");
    done("sealaunch roster sign --signer b --yes");
    done("sealaunch verify");
    // From here on the checkout trusts what that roster says.
    trustNewest();
    done("sealaunch verify");
    // Ann's is lost: b and c do without it.
    done("sealaunch roster add-root d.pub --signer b --yes");
    done("sealaunch roster sign --signer c --yes");
    done("sealaunch roster remove-root ~/.ssh/id_ed25519.pub --signer b --yes");
    done("sealaunch roster sign --signer c --yes");
    done("sealaunch verify");
  });

  it("are never fewer than have to sign", () => {
    refused("sealaunch roster remove-root ~/.ssh/id_ed25519.pub --yes", "usage/invalid");
    done("ssh-keygen -q -t ed25519 -N '' -f x");
    refused("sealaunch roster remove-root x.pub --yes", "signer/unknown");
    refused("sealaunch roster add-root x.pub --threshold 3 --yes", "usage/invalid");
  });
});
