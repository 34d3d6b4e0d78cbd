import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exitStatus } from "../../src/failure.ts";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { EtcdCluster } from "../fixtures/etcd.ts";
import { sealaunch, type Ended } from "../fixtures/program.ts";
import { Workplace } from "../fixtures/worked-example.ts";
import { count } from "../soak.ts";

// What is said of a command's end has to be so, whenever etcd fails under it.
let place: Workplace;
let etcd: EtcdCluster;
beforeEach(() => {
  place = Workplace.followed();
});
afterEach(async () => {
  await etcd[Symbol.asyncDispose]();
  place[Symbol.dispose]();
});

const url = (): string =>
  `etcd:${etcd.configuration("root", { ...etcd.issue("root"), deadline: 3 })}`;
const copy = (to: string): string => `sealaunch copy --from dir:. --to ${to} --yes`;

/** From here the checkout's source is etcd. */
function follow(source: string): void {
  const file = join(place.directory, "sealaunch.json");
  const before = JSON.parse(readFileSync(file, "utf8")) as object;
  writeFileSync(file, JSON.stringify({ ...before, source }));
}

interface Inspected {
  readonly statement: {
    readonly generation: number;
    readonly credentials: readonly { readonly name: string }[];
  };
}

/** All keys that there are. */
const keys = (): string[] =>
  etcd
    .etcdctl("get", "--prefix", "--keys-only", "/sealaunch/")
    .split("\n")
    .filter((key) => key !== "");

/** Runs a command that is over before what it needs may be. */
const begin = (args: readonly string[]): Promise<Ended> =>
  sealaunch(args, { cwd: place.directory, environment: place.environment(place.directory) });

describe("an etcd that has no space left", () => {
  beforeEach(async () => {
    etcd = await EtcdCluster.start([`--quota-backend-bytes=${String(4 * 2 ** 20)}`]);
  });

  /** Writes until nothing more is taken. */
  const fill = (): void => {
    const put = "head -c 400000 /dev/zero | tr '\\0' x | etcdctl put /other/$n";
    etcd.script(`n=0; while ${put}; do n=$((n + 1)); done`);
  };
  /** As the hint says. */
  const mend = (): void => {
    etcd.script(`etcdctl del --prefix /other/
      etcdctl compact $(etcdctl endpoint status -w json | grep -o '"revision":[0-9]*' | head -n 1 | cut -d : -f 2)
      etcdctl defrag --cluster
      etcdctl alarm disarm`);
  };

  it("takes no seal, which says so and has left what was; then the same command seals", () => {
    const source = url();
    expectDone(place.run(copy(source)));
    follow(source);
    fill();
    const before = keys();
    const { stderr } = expectRefused(place.run("sealaunch seal dns --generate NEW"), "source/full");
    expect(stderr).toContain("etcdctl alarm disarm");
    expect(keys()).toEqual(before);
    expect(expectDone(place.run("sealaunch verify"))).toMatch(/^bundle dns +2 +good$/mu);
    mend();
    expect(expectDone(place.run("sealaunch seal dns --generate NEW"))).toContain("sealed dns 3");
    expect(expectDone(place.run("sealaunch verify"))).toMatch(/^bundle dns +3 +good$/mu);
  });

  it("takes no copy, and all of it once there is space", () => {
    fill();
    const source = url();
    expectRefused(place.run(copy(source)), "source/full");
    expect(keys()).toEqual([]);
    mend();
    expectDone(place.run(copy(source)));
    expect(expectDone(place.run(copy(source)))).toContain("nothing to do");
  });
});

describe("an etcd whose members are killed while it is written to", () => {
  const rounds = count(40);
  beforeEach(async () => {
    etcd = await EtcdCluster.start();
  });

  /** Kills them after that time, and has them back once the command is over. */
  async function killed(members: readonly number[], afterMs: number, ending: Promise<Ended>) {
    await delay(afterMs);
    for (const index of members) await etcd.kill(index);
    const ended = await ending;
    for (const index of members) etcd.run(index);
    await etcd.healthy();
    return ended;
  }

  it(`has what a seal says, in ${String(rounds)} rounds`, async () => {
    const source = url();
    expectDone(place.run(copy(source)));
    follow(source);
    const signer = ["--signer", join(place.home, ".ssh/id_ed25519.pub")];
    let [sealed, failed] = [0, 0];
    for (let round = 0; round < rounds; round++) {
      // The leader alone is done without; without two of three nothing is.
      const leader = etcd.leader();
      const members = round % 2 === 0 ? [leader] : [leader, (leader + 1) % 3];
      const name = `N${String(round)}`;
      const seal = begin(["seal", "dns", "--generate", name, "--json", ...signer]);
      const { status, stdout, stderr } = await killed(members, 150 + ((round * 37) % 300), seal);
      const told = expectDone(place.run("sealaunch inspect dns --json"));
      const { generation, credentials } = (JSON.parse(told) as Inspected).statement;
      if (status === 0) {
        sealed++;
        expect(JSON.parse(stdout.toString())).toMatchObject({ generation });
        expect(credentials.map((one) => one.name)).toContain(name);
      } else {
        failed++;
        expect([exitStatus.unavailable, exitStatus.again]).toContain(status);
        expect(stderr).toMatch(/^\{"code":"source\/(?:unreachable|timeout)".+"hint":/u);
      }
    }
    expect(expectDone(place.run("sealaunch verify"))).toMatch(/^bundle dns +\d+ +good$/mu);
    expect(sealed).toBeGreaterThanOrEqual(Math.floor(rounds / 2));
    expect(sealed + failed).toBe(rounds);
  }, 600_000);

  it("has what a copy says, which goes on where it was", async () => {
    const whole = readdirSync(place.directory, { recursive: true, encoding: "utf8" })
      .filter((path) => /^(?:keys|secrets)\/.*\.(?:json|sig|age)$|\/[0-9a-f]{64}$/u.test(path))
      .map((path) => path.replace(/^(?:keys|secrets)\//u, "/sealaunch/"))
      .toSorted();
    const source = url();
    for (let round = 0; round < rounds; round++) {
      const copying = begin(["copy", "--from", "dir:.", "--to", source, "--yes"]);
      const { status, stderr } = await killed([0, 1], 200 + ((round * 53) % 300), copying);
      if (status === 0) expect(keys().toSorted()).toEqual(whole);
      else expect(stderr).toMatch(/^error: .+\nhint: .+\n$/u);
      expectDone(place.run(copy(source)));
      expect(keys().toSorted()).toEqual(whole);
      etcd.etcdctl("del", "--prefix", "/sealaunch/");
    }
  }, 600_000);
});
