import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exitStatus, failures, type FailureCode } from "../../src/failure.ts";
import { refusalLines } from "../fixtures/program.ts";
import { Workplace, type Outcome } from "../fixtures/worked-example.ts";

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

/** The newest value of a credential of `dns`, as the operator opens it. */
const valueOf = (credential: string): string =>
  expectDone(`sealaunch open dns ${credential} --identity operator.identity`);

/** A key of somebody else's, whom the roster lets sign `dns`. */
function addBea(): void {
  expectDone("ssh-keygen -q -t ed25519 -N '' -C bea -f bea");
  expectDone("sealaunch roster add-signer bea bea.pub --name dns --yes");
}

/** Everything below a folder, and its bytes' hash. */
const hashes = (folder: string): string =>
  expectDone(`find ${folder} -type f -exec sha256sum {} + | sort`);

describe("roster set-minimum", () => {
  it("puts generations out of use, and the next seal takes up there", () => {
    const { status, stderr } = place.run("sealaunch roster set-minimum dns 5 --yes");
    expect(status).toBe(0);
    expect(stderr).toContain("until somebody seals 5");
    expectRefused("sealaunch verify dns", "bundle/below-minimum");
    expect(expectDone("sealaunch seal dns --generate TOKEN")).toContain("sealed dns 5 ");
    expectDone("sealaunch verify dns");
  });

  it("never lets back in what was put out of use", () => {
    expect(place.run("sealaunch roster set-minimum dns 5 --yes").status).toBe(0);
    const { stderr } = expectRefused("sealaunch roster set-minimum dns 4 --yes", "usage/invalid");
    expect(stderr).toContain("5");
    expect(expectDone("sealaunch roster set-minimum dns 5 --yes")).toContain("nothing to do");
  });
});

describe("roster set-series", () => {
  it("begins the generations of a name anew, and nothing before counts", () => {
    expect(expectDone("sealaunch roster set-series dns 1 --yes")).toContain("series 1");
    expectRefused("sealaunch verify dns", "bundle/absent");
    const sealed = expectDone("sealaunch seal dns --generate TOKEN --pool web --in-place");
    expect(sealed).toContain("sealed dns 1.1 ");
    expectDone("sealaunch verify dns");
    expectRefused("sealaunch roster set-series dns 0 --yes", "usage/invalid");
  });
});

describe("seal --from-generation", () => {
  beforeEach(() => {
    expectDone("printf %s second > token && sealaunch seal dns CF_TOKEN=token --generate MORE");
  });

  it("signs the old values under the next number, without reading them", () => {
    expect(valueOf("CF_TOKEN")).toBe("second");
    const values = hashes("secrets/bundles/dns/values");
    expect(expectDone("sealaunch seal dns --from-generation 1")).toContain("sealed dns 3 ");
    expect(valueOf("CF_TOKEN")).toBe("correct horse battery staple");
    expectRefused("sealaunch open dns MORE --identity operator.identity", "credential/missing");
    expect(hashes("secrets/bundles/dns/values")).toBe(values);
    expectDone("sealaunch verify dns");
    expect(expectDone("sealaunch seal dns --from-generation 1")).toContain("nothing to do");
  });

  it("leaves who may ask as it is now", () => {
    expectDone("sealaunch seal dns --no-in-place --unit other.service");
    const sealed = expectDone("sealaunch seal dns --from-generation 1");
    expect(sealed).toContain("may ask: dns.service, other.service\n");
  });

  it("brings values into a new series, after which the name can be sealed again", () => {
    expectDone("sealaunch roster set-series dns 1 --yes");
    expectRefused("sealaunch seal dns --from-generation 1", "bundle/absent");
    expect(expectDone("sealaunch seal dns --from-generation 0.1")).toContain("sealed dns 1.1 ");
    expect(valueOf("CF_TOKEN")).toBe("correct horse battery staple");
  });

  it("takes no generation that isn't there, and no word for one", () => {
    expectRefused("sealaunch seal dns --from-generation 7", "bundle/absent");
    expectRefused("sealaunch seal dns --from-generation first", "usage/invalid");
  });

  it("doesn't hand back to a pool what was taken from it: bundle/values-needed", () => {
    expectDone("sealaunch roster add-pool db --yes");
    expectDone("sealaunch roster add-node n1 --pool db --known-hosts known_hosts --yes");
    expectDone("sealaunch seal dns CF_TOKEN=token MORE=token --pool db");
    const { stderr } = expectRefused(
      "sealaunch seal dns --from-generation 1",
      "bundle/values-needed",
    );
    expect(stderr).toContain("--pool web");
    expectDone("sealaunch seal dns --from-generation 1 --pool web");
    expect(valueOf("CF_TOKEN")).toBe("correct horse battery staple");
  });

  it("writes nothing where a value has no header any more: header/absent", () => {
    expectDone("for h in secrets/headers/web/1/dns/*; do mv $h $h.gone; done");
    const before = hashes(".");
    expectRefused("sealaunch seal dns --from-generation 1", "header/absent");
    expect(hashes(".")).toBe(before);
  });
});

describe("seal --resign", () => {
  it("puts a signature beside the same bytes, and nothing else", () => {
    addBea();
    const before = hashes("secrets").trim().split("\n");
    expect(expectDone("sealaunch seal dns --resign --signer bea")).toContain("beside ann\n");
    const after = hashes("secrets").trim().split("\n");
    const added = after.filter((line) => !before.includes(line));
    expect(before.filter((line) => !after.includes(line))).toEqual([]);
    expect(added).toHaveLength(1);
    expect(added[0]).toMatch(/ secrets\/bundles\/dns\/0\.1\/signatures\/[0-9a-f]{32}\.sig$/u);
    expectDone("sealaunch verify dns");
    expect(expectDone("sealaunch seal dns --resign --signer bea")).toContain("nothing to do");
  });

  it("lets what it signed count when the other signature is gone", () => {
    addBea();
    expectDone("sealaunch seal dns --resign --signer bea");
    expectDone("sealaunch roster add-signer ann ~/.ssh/id_ed25519.pub --name other --yes");
    expectDone("sealaunch verify dns");
  });

  it("signs nothing that doesn't count already", () => {
    addBea();
    expectDone("sealaunch roster add-signer ann ~/.ssh/id_ed25519.pub --name other --yes");
    expectRefused("sealaunch seal dns --resign --signer bea", "signer/not-allowed");
  });

  it("isn't for whom the roster doesn't allow the name, and changes nothing", () => {
    expectDone("ssh-keygen -q -t ed25519 -N '' -C eve -f eve");
    expectRefused("sealaunch seal dns --resign --signer eve", "signer/none");
    expectRefused("sealaunch seal dns --resign --unit x.service", "usage/invalid");
    expectRefused("sealaunch seal dns CF_TOKEN=token --resign", "usage/invalid");
  });
});
