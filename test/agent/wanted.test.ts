import { describe, expect, it } from "vitest";
import { encodeManifest } from "../../src/agent/manifest.ts";
import { wantedBy } from "../../src/agent/wanted.ts";
import { utf8 } from "../../src/crypto/bytes.ts";
import { Failure, type FailureCode } from "../../src/failure.ts";
import type { UnitFacts } from "../../src/host/systemd/systemd.ts";

const store = "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-service";
const wrapper = "/nix/store/zyxwvsrqpnmlkjihgfdcba9876543210-sealaunch-wrapper/bin/sealaunch";

const facts = (...commands: readonly (readonly string[])[]): UnitFacts => ({
  unit: "dns.service",
  loadState: "loaded",
  activeState: "activating",
  mainPid: 1,
  controlPid: 0,
  controlGroup: "/system.slice/dns.service",
  invocation: "00000000000000000000000000000000",
  commands: commands.map((words) => ({ words })),
  reloads: [],
  startTimeoutMs: 90_000,
  inactiveSince: undefined,
});

function codeOf(run: () => unknown): FailureCode | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
}

describe("what a unit wants", () => {
  it("is what its guarded commands ask for together", () => {
    const wanted = wantedBy(
      facts(
        [wrapper, "check", "--bundle", "dns@3+", "--credential", "A"],
        ["/bin/true"],
        [
          wrapper,
          "run",
          "--bundle=dns@17+",
          "--bundle",
          "web",
          "--credential",
          "B",
          "--",
          `${store}/bin/a b`,
          "x",
          "--",
        ],
      ),
    );
    expect(wanted.bundles).toEqual([
      { bundle: "dns", floor: 17 },
      { bundle: "web", floor: 0 },
    ]);
    expect(wanted.sealed).toEqual([]);
    expect(wanted.credentials).toEqual(["A", "B"]);
    expect(wanted.programs.map(({ storePath }) => storePath)).toEqual([store]);
    expect(wanted.files.map(({ path }) => path)).toEqual([wrapper]);
    expect(wanted.commands).toEqual([
      "check --bundle dns@3+ --credential A",
      `run --bundle=dns@17+ --bundle web --credential B -- ${store}/bin/a b`,
    ]);
  });

  it("is every credential if one of the commands names none", () => {
    const wanted = wantedBy(
      facts(
        [wrapper, "check", "--bundle", "dns", "--credential", "A"],
        [wrapper, "run", "--bundle", "dns", "--", "/usr/sbin/nginx"],
      ),
    );
    expect(wanted.credentials).toBeUndefined();
    expect(wanted.programs).toEqual([]);
  });

  it("is a bundle's store path, where the commands name one, all the same", () => {
    const sealed = `/nix/store/${"0".repeat(32)}-sealaunch-dns-0.17`;
    const check = [wrapper, "check", "--bundle", `dns=${sealed}`];
    const { bundles, sealed: paths } = wantedBy(
      facts(check, [wrapper, "run", `--bundle=dns@17+=${sealed}`, "--", "/bin/true"]),
    );
    expect(bundles).toEqual([{ bundle: "dns", floor: 17, path: sealed }]);
    expect(paths).toEqual([sealed]);
    for (const other of ["dns", `dns=${store}`]) {
      const run = [wrapper, "run", "--bundle", other, "--", "/bin/true"];
      expect(codeOf(() => wantedBy(facts(check, run)))).toBe("usage/invalid");
      expect(codeOf(() => wantedBy(facts(run, check)))).toBe("usage/invalid");
    }
  });

  it.for<[string, readonly string[], FailureCode]>([
    ["a store path without a name", [wrapper, "check", "--bundle", store], "usage/invalid"],
    [
      "a bundle below a store path",
      [wrapper, "check", "--bundle", `dns=${store}/a`],
      "closure/not-in-store",
    ],
    [
      "a bundle that is a derivation",
      [wrapper, "check", "--bundle", `dns=${store}.drv`],
      "closure/not-in-store",
    ],
    ["nothing guarded", ["/bin/sleep", "1"], "unit/not-guarded"],
    ["a program missing", [wrapper, "run", "--bundle", "dns"], "unit/not-guarded"],
    [
      "a blank in an option",
      [wrapper, "run", "--bundle", "d ns", "--", "/bin/true"],
      "usage/invalid",
    ],
    [
      "a newline in the program",
      [wrapper, "run", "--bundle", "dns", "--", "/bin/a\nb"],
      "usage/invalid",
    ],
    ["a blank in a template", [wrapper, "check", "--render", `a=${store}/a b`], "usage/invalid"],
    ["a derivation", [wrapper, "run", "--", `${store}.drv/bin/a`], "closure/not-in-store"],
    ["an unknown option", [wrapper, "run", "--bundel", "dns", "--", "/bin/true"], "usage/invalid"],
  ])("is refused for %s", ([, words, code]) => {
    expect(codeOf(() => wantedBy(facts(words)))).toBe(code);
  });
});

describe("the manifest", () => {
  it("names each command and each credential, and says that it is whole", () => {
    const credentials = new Map([["A", utf8("a")]]);
    expect(
      new TextDecoder().decode(encodeManifest(["run --bundle dns -- /bin/true"], credentials)),
    ).toBe(
      "sealaunch-manifest-1\ncommand run --bundle dns -- /bin/true\n" +
        "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  A\nend\n",
    );
  });
});
