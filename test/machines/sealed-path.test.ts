import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { enrol } from "./enrolment.ts";
import { machine, type Machine } from "./machine.ts";
import { until } from "./pool.ts";

const agentSocket = "/run/sealaunch/agent.sock";
const wrapper = "/opt/sealaunch/wrapper/bin/sealaunch";
const nix = "nix --extra-experimental-features nix-command";
const cache = "file:///srv/cache?compression=none";

// The node trusts no cache's key, and its Nix demands signatures, as it does unless told otherwise.
let node: Machine;
let first = "";
beforeAll(async () => {
  node = await machine({
    files: {
      "/etc/nix/nix.conf":
        "build-users-group =\nsandbox = false\nsubstituters = file:///srv/cache\n",
    },
  });
  await enrol(node, { secret: "first value", units: ["dns.service"] });
  await node.sh("mkdir -p /srv/cache");
  first = await copied();
  await published(first);
});
afterAll(() => node[Symbol.asyncDispose]());
beforeEach(() => node.sh("systemctl reset-failed dns.service 2>/dev/null || :; rm -f /run/got"));

/** The store path that the bundle's newest generation has, in the node's store. */
async function copied(): Promise<string> {
  const said = await node.sh(
    "cd /srv/cluster; sealaunch copy dns --from dir:. --to nix: --yes --json",
  );
  const [made] = JSON.parse(said) as { readonly path: string }[];
  return made?.path ?? "";
}

/** After it, the cache alone has the path. */
const published = (path: string): Promise<string> =>
  node.sh(`${nix} copy --to '${cache}' ${path}; nix-store --delete --ignore-liveness ${path}`);

/** After it, the service asks so; a line more may come before its own command. */
const asks = (bundle: string, before = ""): Promise<void> =>
  node.unit(
    "dns.service",
    `[Unit]
StartLimitIntervalSec=0
[Service]
Type=exec
TimeoutStartSec=30
LoadCredential=CF_TOKEN:${agentSocket}
LoadCredential=sealaunch:${agentSocket}
${before}
ExecStart=${wrapper} run --bundle ${bundle} -- /bin/sh -c 'cat "$CREDENTIALS_DIRECTORY/CF_TOKEN" >/run/got; exec sleep infinity'
`,
  );

/** What a start of the service gets; "" if it is refused. */
async function start(): Promise<string> {
  const { status } = await node.run("systemctl", ["restart", "dns.service"]);
  if (status !== 0) return "";
  await until(async () => (await node.run("test", ["-s", "/run/got"])).status === 0, "/run/got");
  return node.sh("cat /run/got");
}

/** The code with which the last start was refused, as the unit's journal has it. */
async function refusal(): Promise<string | undefined> {
  await node.sh("journalctl --sync");
  const match = ["OBJECT_SYSTEMD_UNIT=dns.service", "SYSLOG_IDENTIFIER=sealaunch"];
  const lines = await node.ok("journalctl", ["-q", "-o", "json", "--no-pager", ...match]);
  const codes = lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => (JSON.parse(line) as Readonly<Record<string, string>>)["SEALAUNCH_CODE"]);
  return codes.filter((code) => code !== undefined).at(-1);
}

const seal = (value: string): Promise<string> =>
  node.sh(`cd /srv/cluster; umask 022; printf '%s' '${value}' | sealaunch seal dns CF_TOKEN=-`);

describe("a unit that names a bundle's store path", () => {
  it("gets it from a cache, keeps it, and needs nothing sealed of the source", async () => {
    await node.sh("mv /srv/cluster/secrets /srv/away");
    await asks(`dns@1+=${first}`);
    expect(await start()).toBe("first value");
    await node.sh("nix-collect-garbage >/dev/null 2>&1; mv /srv/away /srv/cluster/secrets");
    await node.sh(`nix-store --check-validity ${first}`);
    expect(await node.sh("readlink /var/lib/sealaunch/roots/dns.service/*")).toContain(first);
    expect(await node.sh("cat /run/sealaunch/decisions/*.json")).toContain(`"path":"${first}"`);
  });

  it("is given the same if the agent ends between two of its commands", async () => {
    const check = `ExecStartPre=${wrapper} check --bundle dns=${first}`;
    const end = "ExecStartPre=/bin/sh -c 'systemctl kill -s KILL sealaunch-agent.service'";
    await asks(`dns=${first}`, `${check}\n${end}`);
    expect(await start()).toBe("first value");
  });

  it("goes on with it when there is a newer, which status and doctor tell", async () => {
    await asks(`dns@1+=${first}`);
    await start();
    await seal("second value");
    const pid = await node.show("dns.service", "MainPID");
    const told = await node.run("sealaunch", ["status", "--restart-stale"]);
    expect(told.stdout.toString()).toMatch(/dns\.service .* BEHIND by its path/u);
    expect(told.stderr).toContain(
      `error: dns.service names ${first}, which has an older bundle dns`,
    );
    expect(told.status).toBe(75);
    expect(await node.show("dns.service", "MainPID")).toBe(pid);
    const doctor = await node.run("sealaunch", ["doctor", "dns"]);
    expect(doctor.status).toBe(0);
  });

  it("is refused at once for a path older than its floor, and doctor says so before", async () => {
    await asks(`dns@2+=${first}`);
    const { stdout, status } = await node.run("sealaunch", ["doctor", "dns"]);
    expect(stdout.toString()).toContain("and the command asks for 2 or newer");
    expect(status).toBe(77);
    const before = Date.now();
    expect(await start()).toBe("");
    expect(Date.now() - before).toBeLessThan(10_000);
    expect(await refusal()).toBe("bundle/wrong-path");
  });

  it("waits for a path that is published meanwhile", async () => {
    const second = await copied();
    await node.sh(`cp -r ${second} /run/second; nix-store --delete --ignore-liveness ${second}`);
    await asks(`dns@2+=${second}`);
    await node.sh("systemctl restart --no-block dns.service");
    await until(async () => (await refusal()) === "closure/absent", "a start that waits");
    const name = second.slice(second.indexOf("-") + 1);
    await node.sh(`mkdir /run/made; mv /run/second /run/made/${name}`);
    await node.sh(`test "$(nix-store --add /run/made/${name})" = ${second}`);
    await published(second);
    await until(async () => (await node.run("test", ["-s", "/run/got"])).status === 0, "/run/got");
    expect(await node.sh("cat /run/got")).toBe("second value");
  });

  it("is refused if the cache has changed a byte", async () => {
    await seal("third value");
    const third = await copied();
    await published(third);
    const [, hash = ""] = /^\/nix\/store\/([0-9a-z]+)-/u.exec(third) ?? [];
    await node.sh(`
      nar=/srv/cache/$(sed -n 's/^URL: //p' /srv/cache/${hash}.narinfo)
      chmod u+w "$nar"
      printf x | dd of="$nar" bs=1 seek=$(($(stat -c %s "$nar") - 300)) conv=notrunc status=none`);
    await asks(`dns=${third}`);
    expect(await start()).toBe("");
    expect(await refusal()).toBe("closure/corrupt");
    expect((await node.run("nix-store", ["--check-validity", third])).status).not.toBe(0);
  });
});
