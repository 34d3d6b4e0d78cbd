import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FailureCode } from "../../src/failure.ts";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { Workplace, type Outcome } from "../fixtures/worked-example.ts";

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

/** The newest value of a credential of `dns`, as the operator opens it. */
const valueOf = (credential: string): string =>
  done(`sealaunch open dns ${credential} --identity operator.identity`);

/** Everything below a folder, and its bytes' hash. */
const hashes = (folder: string): string =>
  done(`find ${folder} -type f -exec sha256sum {} + | sort`);

describe("roster set-minimum", () => {
  it("puts generations out of use, and the next seal takes up there", () => {
    const { status, stderr } = place.run("sealaunch roster set-minimum dns 5 --yes");
    expect(status).toBe(0);
    expect(stderr).toContain("until somebody seals 5");
    refused("sealaunch verify dns", "bundle/below-minimum");
    expect(done("sealaunch seal dns --generate TOKEN")).toContain("sealed dns 5 ");
    done("sealaunch verify dns");
  });

  it("never lets back in what was put out of use", () => {
    expect(place.run("sealaunch roster set-minimum dns 5 --yes").status).toBe(0);
    const { stderr } = refused("sealaunch roster set-minimum dns 4 --yes", "usage/invalid");
    expect(stderr).toContain("5");
    expect(done("sealaunch roster set-minimum dns 5 --yes")).toContain("nothing to do");
  });
});

describe("roster set-series", () => {
  it("begins the generations of a name anew, and nothing before counts", () => {
    expect(done("sealaunch roster set-series dns 1 --yes")).toContain("series 1");
    refused("sealaunch verify dns", "bundle/absent");
    const sealed = done("sealaunch seal dns --generate TOKEN --pool web --in-place");
    expect(sealed).toContain("sealed dns 1.1 ");
    done("sealaunch verify dns");
    refused("sealaunch roster set-series dns 0 --yes", "usage/invalid");
  });
});

describe("seal --from-generation", () => {
  beforeEach(() => {
    done("printf %s second > token && sealaunch seal dns CF_TOKEN=token --generate MORE");
  });

  it("signs the old values under the next number, without reading them", () => {
    expect(valueOf("CF_TOKEN")).toBe("second");
    const values = hashes("secrets/bundles/dns/values");
    expect(done("sealaunch seal dns --from-generation 1")).toContain("sealed dns 3 ");
    expect(valueOf("CF_TOKEN")).toBe("correct horse battery staple");
    refused("sealaunch open dns MORE --identity operator.identity", "credential/missing");
    expect(hashes("secrets/bundles/dns/values")).toBe(values);
    done("sealaunch verify dns");
    expect(done("sealaunch seal dns --from-generation 1")).toContain("nothing to do");
  });

  it("leaves who may ask as it is now", () => {
    done("sealaunch seal dns --no-in-place --unit other.service");
    const sealed = done("sealaunch seal dns --from-generation 1");
    expect(sealed).toContain("may ask: dns.service, other.service\n");
  });

  it("brings values into a new series, after which the name can be sealed again", () => {
    done("sealaunch roster set-series dns 1 --yes");
    refused("sealaunch seal dns --from-generation 1", "bundle/absent");
    expect(done("sealaunch seal dns --from-generation 0.1")).toContain("sealed dns 1.1 ");
    expect(valueOf("CF_TOKEN")).toBe("correct horse battery staple");
  });

  it("takes no generation that isn't there, and no word for one", () => {
    refused("sealaunch seal dns --from-generation 7", "bundle/absent");
    refused("sealaunch seal dns --from-generation first", "usage/invalid");
  });

  it("doesn't hand back to a pool what was taken from it: bundle/values-needed", () => {
    done("sealaunch roster add-pool db --yes");
    done("sealaunch roster add-node n1 --pool db --known-hosts known_hosts --yes");
    done("sealaunch seal dns CF_TOKEN=token MORE=token --pool db");
    const { stderr } = refused("sealaunch seal dns --from-generation 1", "bundle/values-needed");
    expect(stderr).toContain("--pool web");
    done("sealaunch seal dns --from-generation 1 --pool web");
    expect(valueOf("CF_TOKEN")).toBe("correct horse battery staple");
  });

  it("writes nothing where a value has no header any more: header/absent", () => {
    done("for h in secrets/headers/web/1/dns/*; do mv $h $h.gone; done");
    const before = hashes(".");
    refused("sealaunch seal dns --from-generation 1", "header/absent");
    expect(hashes(".")).toBe(before);
  });
});

describe("seal --resign", () => {
  it("puts a signature beside the same bytes, and nothing else", () => {
    place.addBea();
    const before = hashes("secrets").trim().split("\n");
    expect(done("sealaunch seal dns --resign --signer bea")).toContain("beside ann\n");
    const after = hashes("secrets").trim().split("\n");
    const added = after.filter((line) => !before.includes(line));
    expect(before.filter((line) => !after.includes(line))).toEqual([]);
    expect(added).toHaveLength(1);
    expect(added[0]).toMatch(/ secrets\/bundles\/dns\/0\.1\/signatures\/[0-9a-f]{32}\.sig$/u);
    done("sealaunch verify dns");
    expect(done("sealaunch seal dns --resign --signer bea")).toContain("nothing to do");
  });

  it("lets what it signed count when the other signature is gone", () => {
    place.addBea();
    done("sealaunch seal dns --resign --signer bea");
    done("sealaunch roster add-signer ann ~/.ssh/id_ed25519.pub --name other --yes");
    done("sealaunch verify dns");
  });

  it("signs nothing that doesn't count already", () => {
    place.addBea();
    done("sealaunch roster add-signer ann ~/.ssh/id_ed25519.pub --name other --yes");
    refused("sealaunch seal dns --resign --signer bea", "signer/not-allowed");
  });

  it("isn't for whom the roster doesn't allow the name, and changes nothing", () => {
    done("ssh-keygen -q -t ed25519 -N '' -C eve -f eve");
    refused("sealaunch seal dns --resign --signer eve", "signer/none");
    refused("sealaunch seal dns --resign --unit x.service", "usage/invalid");
    refused("sealaunch seal dns CF_TOKEN=token --resign", "usage/invalid");
  });
});
