import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { enrol } from "./enrolment.ts";
import { machine, type Machine } from "./machine.ts";

const names = ["a1", "a2", "a3"] as const;
const services = names.map((name) => `${name}.service`);

let node: Machine;
beforeAll(async () => {
  node = await machine();
  await enrol(node, { secret: "first value", units: services });
  for (const service of services) await start(service);
});
afterAll(() => node[Symbol.asyncDispose]());

const unitText = (options: string): string => `[Service]
Type=notify
NotifyAccess=all
TimeoutStartSec=5
LoadCredential=CF_TOKEN:/run/sealaunch/agent.sock
LoadCredential=sealaunch:/run/sealaunch/agent.sock
ExecStart=/opt/sealaunch/wrapper/bin/sealaunch run --bundle ${options} -- /bin/sh -c 'test ! -e /run/%p.dies || exit 1; systemd-notify --ready; exec sleep 1000'
`;

/** After it, a service runs with the newest of its bundle. */
async function start(service: string, options = "dns"): Promise<void> {
  await node.unit(service, unitText(options));
  await node.ok("systemctl", ["restart", service]);
}

/** After it, there is a generation more. */
const seal = (value: string): Promise<string> =>
  node.sh(`cd /srv/cluster; echo ${value} >/run/token; sealaunch seal dns CF_TOKEN=/run/token`);

interface Row {
  readonly unit: string;
  readonly way: string;
  readonly since?: string;
  readonly bundles: readonly {
    readonly bundle: string;
    readonly has: string;
    readonly newest: string | null;
    readonly isBehind: boolean;
    readonly isOutOfUse: boolean | null;
    readonly owed: readonly string[] | null;
    readonly failure?: { readonly code: string };
  }[];
}

/** What status says of each unit, and how it ends. */
async function status(
  ...words: readonly string[]
): Promise<{ rows: readonly Row[]; exit: number | null; stderr: string }> {
  const {
    status: exit,
    stdout,
    stderr,
  } = await node.run("sealaunch", ["status", "--json", ...words]);
  const text = stdout.toString();
  const { services: rows } =
    text === "" ? { services: [] } : (JSON.parse(text) as { services: Row[] });
  return { rows, exit, stderr };
}

/** What each service has and could have, `UNIT HAS/NEWEST`. */
const brief = (rows: readonly Row[]): string[] =>
  rows.flatMap(({ unit, bundles }) =>
    bundles.map(({ has, newest }) => `${unit} ${has}/${newest ?? "?"}`),
  );

const mainPids = async (): Promise<string[]> =>
  Promise.all(services.map((service) => node.show(service, "MainPID")));

describe("status", () => {
  it("says of each running service what it has, and ends with 0 while all are current", async () => {
    const { rows, exit } = await status();
    expect(brief(rows)).toEqual(["a1.service 1/1", "a2.service 1/1", "a3.service 1/1"]);
    expect(exit).toBe(0);
    expect(Date.now() - Date.parse(rows[0]?.since ?? "")).toBeLessThan(120_000);
    const { stdout } = await node.run("sealaunch", ["status", "a1"]);
    expect(stdout.toString()).toMatch(
      /^unit +state +bundle +has +newest +since\na1\.service +active +dns +1 +1 +current +\d{4}-\S+Z\n$/u,
    );
  });

  it("ends with 75 once there is a newer generation, until every service has it", async () => {
    await seal("second");
    const before = await status();
    expect(brief(before.rows)).toEqual(services.map((service) => `${service} 1/2`));
    expect(before.rows.every(({ bundles: [bundle] }) => bundle?.isBehind === true)).toBe(true);
    expect(before.exit).toBe(75);
    expect(before.stderr).toContain('"code":"unit/behind"');
    expect(before.stderr).toContain("a1.service, a2.service, a3.service");
    await node.ok("systemctl", ["restart", "a1.service"]);
    expect(brief((await status()).rows)[0]).toBe("a1.service 2/2");
    expect((await status("a1")).exit).toBe(0);
    expect((await status("a2.service")).exit).toBe(75);
  });

  it("restarts those that are behind, and only those", async () => {
    const before = await mainPids();
    const { status: exit, stdout } = await node.run("sealaunch", ["status", "--restart-stale"]);
    expect(stdout.toString()).toMatch(
      /^restarting a2\.service\nrestarting a3\.service\nunit .+\na1\.service .+ current .+\na2\.service .+ current .+\na3\.service .+ current .+\n$/u,
    );
    expect(exit).toBe(0);
    const after = await mainPids();
    expect(after[0]).toBe(before[0]);
    expect(after[1]).not.toBe(before[1]);
    expect(after[2]).not.toBe(before[2]);
    expect(await node.sh("cat /run/credentials/a2.service/CF_TOKEN")).toBe("second\n");
  });

  it("leaves one running that couldn't start", async () => {
    await seal("third");
    await node.unit("a2.service", unitText("dns@99+"));
    const before = await mainPids();
    const { rows, exit, stderr } = await status("--restart-stale");
    expect(stderr).toMatch(
      /^warning: a2\.service is left running, since it couldn't start: .+99/mu,
    );
    expect(brief(rows)).toEqual(["a1.service 3/3", "a2.service 2/3", "a3.service 3/3"]);
    expect(exit).toBe(75);
    expect((await mainPids())[1]).toBe(before[1]);
    await start("a2.service");
    expect((await status()).exit).toBe(0);
  });

  it("stops at the first that doesn't come up again", async () => {
    await seal("fourth");
    await node.sh("touch /run/a2.dies");
    const before = await mainPids();
    const { exit, stderr } = await status("--restart-stale");
    expect(stderr).toContain('"code":"unit/not-started"');
    expect(stderr).toMatch(/a2\.service.+1 more/u);
    expect(exit).toBe(69);
    const after = await mainPids();
    expect(after[0]).not.toBe(before[0]);
    expect(after[1]).toBe("0");
    expect(after[2]).toBe(before[2]);
    // Though systemd still knows its last start.
    expect(brief((await status("a2")).rows)).toEqual([]);
    await node.sh("rm /run/a2.dies; systemctl restart a2.service a3.service");
  });

  it("says where the newest can't be verified, and restarts nothing for it", async () => {
    await seal("fifth");
    await node.sh("mv /srv/cluster/secrets/bundles/dns/0.5/signatures /run/signatures");
    const before = await mainPids();
    const { rows, exit } = await status("--restart-stale");
    expect(rows[0]?.bundles[0]).toMatchObject({
      has: "4",
      newest: null,
      isBehind: false,
      failure: { code: "signature/unknown-signer" },
    });
    expect(exit).toBe(77);
    expect(await mainPids()).toEqual(before);
    await node.sh("mv /run/signatures /srv/cluster/secrets/bundles/dns/0.5/");
    expect((await status("--restart-stale")).exit).toBe(0);
  });

  it("says of what was launched in place, and of what lost its decision, that it can't tell", async () => {
    const program = (await node.sh("ls -d /nix/store/*-demo-service-1")).trim();
    const command = `sealaunch run --in-place --bundle dns --user root -- ${program}/bin/demo-service`;
    await node.sh("cd /srv/cluster; sealaunch seal dns --in-place");
    await node.sh("systemctl restart a1.service a2.service a3.service");
    await node.unit(
      "place.service",
      `[Service]\nType=exec\nExecStart=/usr/bin/${command} 127.0.0.1:8099\n`,
    );
    await node.sh(
      "systemctl start place.service; rm /run/sealaunch/decisions/*; systemctl restart a1.service",
    );
    const { status: exit, stdout } = await node.run("sealaunch", ["status"]);
    expect(stdout.toString()).toMatch(/^a1\.service .+ current/mu);
    expect(stdout.toString()).toMatch(/^a2\.service .+ no decision is kept for its start/mu);
    expect(stdout.toString()).toMatch(/^place\.service .+ launched in place: nothing is kept/mu);
    expect(exit).toBe(0);
    await node.sh("systemctl stop place.service; systemctl restart a2.service a3.service");
  });

  it("says which run on values that a node could read which was shut out, until they have new ones", async () => {
    await node.sh(`
      cd /srv/cluster
      ssh-keygen -q -t ed25519 -N '' -f /run/n2_host_key
      sealaunch identity create --into /run/n2 --node n2 --host-key /run/n2_host_key --state /run/n2/state --plain-identity
      echo "n2 $(cut -d ' ' -f 1,2 /run/n2_host_key.pub)" >>known_hosts
      sealaunch roster add-node /run/n2 --pool web --known-hosts known_hosts --yes
      sealaunch rewrap
      sealaunch roster remove-node n2 --yes
      sealaunch rewrap
      sealaunch roster remove-node n2 --yes`);
    const before = await mainPids();
    const owed = await status();
    expect(owed.rows.map(({ bundles: [bundle] }) => bundle?.owed)).toEqual(
      services.map(() => ["CF_TOKEN"]),
    );
    expect(owed.rows.some(({ bundles: [bundle] }) => bundle?.isBehind === true)).toBe(false);
    expect(owed.stderr).toContain('"code":"value/owed"');
    expect(owed.exit).toBe(77);
    // A restart would give them the same value.
    expect((await status("--restart-stale")).exit).toBe(77);
    expect(await mainPids()).toEqual(before);

    await seal("unknown to n2");
    const replaced = await status();
    expect(replaced.rows[0]?.bundles[0]).toMatchObject({ isBehind: true, owed: ["CF_TOKEN"] });
    expect(replaced.exit).toBe(75);
    const { stdout } = await node.run("sealaunch", ["status", "a1"]);
    expect(stdout.toString()).toMatch(/^a1\.service .+ BEHIND, OWED: CF_TOKEN /mu);
    await node.ok("systemctl", ["restart", "a1.service"]);
    const [first, second] = (await status()).rows;
    expect(first?.bundles[0]?.owed).toEqual([]);
    expect(second?.bundles[0]?.owed).toEqual(["CF_TOKEN"]);
    expect((await mainPids())[1]).toBe(before[1]);
  });

  it("says which run on a generation that the roster puts out of use", async () => {
    const { rows } = await status("a1");
    const generation = Number(rows[0]?.bundles[0]?.has);
    await node.sh(`cd /srv/cluster; sealaunch roster set-minimum dns ${String(generation)} --yes`);
    const some = await status();
    expect(some.rows.map(({ bundles: [bundle] }) => bundle?.isOutOfUse)).toEqual([
      false,
      true,
      true,
    ]);
    expect(some.exit).toBe(75);
    await node.sh(
      `cd /srv/cluster; sealaunch roster set-minimum dns ${String(generation + 1)} --yes`,
    );
    const all = await status("a1");
    expect(all.rows[0]?.bundles[0]).toMatchObject({ isBehind: false, isOutOfUse: true });
    expect(all.stderr).toContain('"code":"bundle/below-minimum"');
    expect(all.exit).toBe(77);
    await seal("in use again");
    expect((await status("--restart-stale")).exit).toBe(0);
  });

  it("says of one that was named whether it runs, is there, or has nothing of Sealaunch", async () => {
    await node.ok("systemctl", ["stop", "a3.service"]);
    expect((await node.ok("sealaunch", ["status", "a3"])).split("\n")[1]).toMatch(/ doesn't run /u);
    expect(brief((await status()).rows)).toHaveLength(2);
    expect((await status("nobody")).exit).toBe(66);
    await node.unit("plain.service", "[Service]\nExecStart=/bin/sleep 1000\n");
    const plain = await status("plain");
    expect(plain.stderr).toContain('"code":"unit/not-guarded"');
    expect((await status("../a1")).exit).toBe(64);
  });

  it("is for root", async () => {
    const { status: exit } = await node.run("setpriv", ["--reuid=65534", "sealaunch", "status"]);
    expect(exit).toBe(77);
  });
});
