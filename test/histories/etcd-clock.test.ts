import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNode } from "../../src/cluster/configuration.ts";
import { readIdentities } from "../../src/cluster/identities.ts";
import { openBundles, type Opening } from "../../src/launch/open.ts";
import { clockAhead } from "../fixtures/clock.ts";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { EtcdCluster } from "../fixtures/etcd.ts";
import { Workplace, workedExample, type Outcome } from "../fixtures/worked-example.ts";

// Who made the cluster did so three hours ago, and etcd's clock is right: whoever comes to it from an hour
// ahead or behind has his clock, and that of all that he runs, from libfaketime.
let place: Workplace;
let etcd: EtcdCluster;

const at = (path: string): string => join(place.directory, path);
function change(path: string, fields: object): void {
  const before = JSON.parse(readFileSync(at(path), "utf8")) as object;
  writeFileSync(at(path), JSON.stringify({ ...before, ...fields }));
}

/** Runs a command line by a clock that is so many hours ahead. */
function ahead(hours: number, command: string): Outcome {
  writeFileSync(join(place.top, "command"), command);
  return place.run(`${clockAhead(hours).join(" ")} sh ../command`);
}

beforeAll(async () => {
  place = new Workplace();
  for (const { command, asRoot } of workedExample) if (!asRoot) expectDone(ahead(-3, command));
  etcd = await EtcdCluster.start([], [], [], clockAhead(-3));
  etcd.authenticate();
  const users = ["root", "signer-ann", "node-n1"];
  for (const user of users) etcd.configuration(user, etcd.issue(user));
  etcd.script(expectDone(place.run("sealaunch etcd-roles")));
  etcd.script(`etcdctl user add bob:hunter2; etcdctl user grant-role bob sealaunch-reader`);
  const passwordFile = join(etcd.directory, "bob");
  writeFileSync(passwordFile, "hunter2", { mode: 0o600 });
  etcd.configuration("bob", { ...etcd.issue("other"), user: "bob", passwordFile });
  const source = `etcd:${join(etcd.directory, "root.json")}`;
  expectDone(place.run(`sealaunch copy --from dir:. --to ${source} --yes`));
  become("signer-ann");
  const paths = ["identity", "state", "mirror"].map((name) => [name, at(`n1/${name}`)]);
  change("n1/node.json", {
    source: `etcd:${join(etcd.directory, "node-n1.json")}`,
    ...(Object.fromEntries(paths) as object),
  });
});
afterAll(async () => {
  place[Symbol.dispose]();
  await etcd[Symbol.asyncDispose]();
});

/** From here the checkout's source is etcd, as that user. */
const become = (user: string): void => {
  change("sealaunch.json", { source: `etcd:${join(etcd.directory, `${user}.json`)}` });
};
const sync = "sealaunch sync --config n1/node.json";
const time = "20\\d\\d-[^ ]+Z";

/** A start on the node, by its mirror, at the time that its clock shows. */
async function start(hours: number): Promise<Opening> {
  const node = await readNode(at("n1/node.json"));
  const bundles = [{ bundle: "dns", floor: 1 }];
  const request = { bundles, credentials: ["CF_TOKEN"], unit: "dns.service", inPlace: true };
  const identities = () => readIdentities(node.configuration.identity);
  const now = new Date(Date.now() + hours * 3_600_000);
  return openBundles(request, node, identities, now);
}

describe.for([-1, 1])("whose clock is %d h ahead of etcd's", (hours) => {
  it("is told by doctor how far, which way and what sets it", () => {
    for (const options of ["", "--config n1/node.json"]) {
      const told = expectDone(ahead(hours, `sealaunch doctor --sources ${options}`));
      const way = hours < 0 ? "ahead of ours" : "behind ours";
      expect(told).toMatch(new RegExp(`clock +3(?:59\\d|60\\d) s ${way}`, "u"));
      const said = `^warning: the clock of etcd:\\S+ is ${time}, and here it is ${time}$`;
      expect(told).toMatch(new RegExp(`${said}\\n^hint: set the clock: timedatectl`, "mu"));
    }
  });

  it("is let in by a password too, since what etcd gives for it ends by etcd's clock", () => {
    become("bob");
    const found = expectDone(ahead(hours, "sealaunch doctor --sources --json"));
    expect(JSON.parse(found)).toMatchObject({
      findings: [{ severity: "warning", code: "clock/behind" }],
    });
    become("signer-ann");
  });

  it("seals, and copies back what was sealed; who is right is told what is of the future", () => {
    expectDone(ahead(hours, "printf value >token && sealaunch seal dns CF_TOKEN=token"));
    const judged = place.run("sealaunch verify dns");
    if (hours < 0) expectDone(judged);
    else {
      const said = `^error: bundle dns \\d+ was signed ${time}, and here it is ${time}\\nhint: set the`;
      expect(expectRefused(judged, "clock/behind").stderr).toMatch(new RegExp(said, "u"));
    }
    const source = `etcd:${join(etcd.directory, "signer-ann.json")}`;
    const copy = `sealaunch copy --from ${source} --to dir:copy --yes`;
    expect(expectDone(ahead(hours, copy))).toContain("bundle dns");
    expect(expectDone(ahead(hours, copy))).toContain("nothing");
  });

  it("syncs, starts and asks who runs it by its own clock, whatever etcd's is", async () => {
    expect(expectDone(ahead(hours, sync))).toContain("pools web; bundles dns");
    expect((await start(hours)).credentials).toHaveLength(1);
    // By a clock that is right what was signed by one that is ahead is told, and starts too.
    const { warnings, credentials } = await start(0);
    expect(warnings.map(({ code }) => code)).toEqual(hours < 0 ? [] : ["clock/behind"]);
    expect(new TextDecoder().decode(credentials[0]?.value)).toBe("value");
    const { stdout } = expectRefused(ahead(hours, "sealaunch status --bundle dns"), "unit/behind");
    expect(stdout).toMatch(/^n1 .+no report/mu);
  });

  it("has a bundle end an hour early or late, and says both times", async () => {
    const half = new Date(Date.now() + 1_800_000).toISOString().replace(/\.\d+/u, "");
    const { status, stderr } = place.run(`sealaunch seal dns --expires ${half}`);
    // By whom the one before it was signed an hour ahead is seen here too.
    expect(stderr).toMatch(hours < 0 ? /^$/u : /^warning: bundle dns was signed .+, and here it/u);
    expect(status).toBe(0);
    expectDone(ahead(hours, sync));
    const started = start(hours);
    // To a clock that is behind it is of the future, and lasts; to one that is ahead it is over.
    if (hours < 0)
      expect((await started).warnings.map(({ code }) => code)).toEqual(["clock/behind"]);
    else {
      const said = { code: "bundle/expired", message: expect.stringContaining(half) as string };
      await expect(started).rejects.toMatchObject(said);
    }
    expectDone(place.run("sealaunch seal dns --expires 400d"));
  });

  it("takes certificates for what they are by it, and says what time it has", () => {
    const issued = clockAhead(hours < 0 ? 0 : -47.5);
    const names = ["-addext", "subjectAltName=IP:127.0.0.1"];
    etcd.issue("member", names, "ca", issued);
    const { stderr } = expectRefused(ahead(hours, "sealaunch verify dns"), "source/certificate");
    const what = hours < 0 ? "isn't valid yet" : "has expired";
    const said = `shows a certificate that ${what} \\(\\w+\\); here it is ${time}\\nhint: .*timedatectl`;
    expect(stderr).toMatch(new RegExp(said, "u"));
    etcd.issue("member", names);
    expect(place.run("sealaunch verify dns").stderr).not.toContain("certificate");
  });
});
