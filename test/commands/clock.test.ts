import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { textOf } from "../../src/crypto/bytes.ts";
import { encodeIdentity } from "../../src/crypto/identity.ts";
import { openBundles, type Opening } from "../../src/launch/open.ts";
import { formatTime } from "../../src/formats/fields.ts";
import { root, TestCluster } from "../fixtures/cluster.ts";
import { expectRefused } from "../fixtures/ended.ts";
import { sealaunch, type Ended } from "../fixtures/program.ts";
import { refusal } from "../fixtures/refusal.ts";

let test: TestCluster;
beforeEach(async () => {
  test = await TestCluster.create();
  const { cluster } = test.roster({});
  const configuration = { cluster, source: "dir:.", roots: [root.key], threshold: 1 };
  await writeFile(join(test.directory, "sealaunch.json"), JSON.stringify(configuration));
  const line = textOf(encodeIdentity(test.operator)) ?? "";
  await writeFile(join(test.directory, "operator.identity"), `${line}\n`, { mode: 0o600 });
});
afterEach(() => test[Symbol.asyncDispose]());

const run = (command: string): Promise<Ended> =>
  sealaunch(command.split(" "), { cwd: test.directory });

/** Signed by a clock that is right, as one sees it whose clock is wrong. */
const future = { issued: "2099-01-01T00:00:00Z", staleAfter: "2099-04-01T00:00:00Z" };
const past = { issued: "2020-01-01T00:00:00Z", staleAfter: "2020-04-01T00:00:00Z" };

const commands = [
  "seal dns --generate CF_TOKEN",
  "seal dns --resign",
  "verify",
  "rewrap --identity operator.identity",
];

describe("a clock that is before what was signed", () => {
  it.each(commands)("ends it, by the roster, with clock/behind: %s", async (command) => {
    await test.withRoster(future);
    const { stderr } = expectRefused(await run(command), "clock/behind");
    expect(stderr).toMatch(/^error: roster 1 was issued 2099-01-01T00:00:00Z, and here it is 20/u);
  });

  it.each(commands.filter((command) => !command.includes("--resign")))(
    "ends it, by a pool file, with clock/behind: %s",
    async (command) => {
      await test.withPool(future);
      const { stderr } = expectRefused(await run(command), "clock/behind");
      expect(stderr).toMatch(/^error: pool file web 1 was issued 2099-.+, and here it is 20/u);
    },
  );

  it("is told by verify, and by seal before it signs anew, of a bundle", async () => {
    await rm(test.path("bundles/dns/0.1"), { recursive: true });
    await test.withBundle({ created: future.issued }, { CF_TOKEN: "canary" });
    const said = "bundle dns 1 was signed 2099-01-01T00:00:00Z, and here it is 20";
    const { stderr } = expectRefused(await run("verify"), "clock/behind");
    expect(stderr).toContain(said);
    expect((await run("seal dns --generate CF_TOKEN")).stderr).toMatch(
      /^warning: bundle dns was signed 2099-01-01T00:00:00Z, and here it is 20/u,
    );
  });
});

describe("a clock that is an hour behind that of who signed the roster", () => {
  it.each(commands)("ends it with clock/behind: %s", async (command) => {
    const after = (hours: number): string => formatTime(new Date(Date.now() + hours * 3_600_000));
    await test.withRoster({ issued: after(1), staleAfter: after(1000) });
    expectRefused(await run(command), "clock/behind");
  });
});

describe("a clock by which something is stale", () => {
  it.each(commands)("is told beside the record's dates: %s", async (command) => {
    await test.withRoster(past);
    const { stderr } = expectRefused(await run(command), "roster/stale");
    expect(stderr).toMatch(
      /^error: roster 1, issued 2020-01-01.+, is stale since 2020-04-01.+; now is 20/u,
    );
  });
});

describe("a start", () => {
  const open = (now: string, refuseStale: boolean): Promise<Opening> => {
    const { cluster } = test.roster({});
    const configuration = {
      cluster,
      source: "dir:.",
      roots: [root.key],
      threshold: 1,
      node: "n1",
      identity: "",
      state: join(test.directory, "state"),
      keepClosures: 7,
      refuseStale,
    };
    const request = {
      bundles: [{ bundle: "dns", floor: 0 }],
      credentials: undefined,
      unit: undefined,
      inPlace: true,
    };
    const node = { configuration, path: "", directory: test.directory };
    const identity = { ...test.node, seed: test.node.seed.slice() };
    return openBundles(request, node, () => Promise.resolve([identity]), new Date(now));
  };

  it("before what was signed is made, and told that the clock is behind, not that all is well", async () => {
    const { warnings, credentials } = await open("1970-01-01T00:00:10Z", false);
    expect(credentials).toHaveLength(1);
    expect(warnings.map(({ code }) => code)).toEqual(Array(3).fill("clock/behind"));
    expect(warnings.map(({ message }) => message)).toEqual([
      "roster 1 was issued 2026-11-01T00:00:00Z, and here it is 1970-01-01T00:00:10.000Z",
      "bundle dns 1 was signed 2026-11-25T12:00:00Z, and here it is 1970-01-01T00:00:10.000Z",
      "pool file web 1 was issued 2026-11-01T00:00:00Z, and here it is 1970-01-01T00:00:10.000Z",
    ]);
  });

  it("before what was signed is refused with clock/behind where staleness would be", async () => {
    expect(await refusal(() => open("1970-01-01T00:00:10Z", true))).toBe("clock/behind");
    expect(await refusal(() => open("2026-11-26T00:00:00Z", true))).toBe("none");
    expect(await refusal(() => open("2027-06-01T00:00:00Z", true))).toBe("roster/stale");
  });

  it("an hour before or after those who signed goes on, and is told which clock is behind", async () => {
    const before = await open("2026-11-25T11:00:00Z", false);
    expect(before.credentials).toHaveLength(1);
    expect(before.warnings.map(({ code }) => code)).toEqual(["clock/behind"]);
    expect(before.warnings[0]?.hint).not.toBe("");
    // An hour before the roster and the pool file, by which staleness is judged.
    expect((await open("2026-10-31T23:00:00Z", false)).credentials).toHaveLength(1);
    expect(await refusal(() => open("2026-10-31T23:00:00Z", true))).toBe("clock/behind");
    const after = await open("2026-11-25T13:00:00Z", true);
    expect([after.credentials.length, after.warnings.length]).toEqual([1, 0]);
  });

  it("by clocks that differ as clocks do is told nothing", async () => {
    await rm(test.path("bundles/dns/0.1"), { recursive: true });
    await test.withBundle({ created: "2026-11-25T12:04:59Z" }, { CF_TOKEN: "canary" });
    expect((await open("2026-11-25T12:00:00Z", true)).warnings).toEqual([]);
  });
});
