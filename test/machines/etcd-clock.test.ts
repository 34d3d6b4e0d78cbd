import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clockAhead, clockFiles, followsClock, rightClock } from "../fixtures/clock.ts";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import type { EtcdCluster } from "../fixtures/etcd.ts";
import type { Ended } from "../fixtures/program.ts";
import { textOfFile } from "../source.ts";
import { enrol } from "./enrolment.ts";
import { machine, Network, type Machine } from "./machine.ts";
import { followEtcd, startEtcdIn } from "./network-etcd.ts";
import { until } from "./pool.ts";

// A machine on which all that runs goes by a clock that is an hour ahead or behind, and etcd, whose clock is
// right. The cluster was made three hours ago, and the node is to refuse what is stale.
const unit = "shows.service";
const mirror = "/var/lib/sealaunch-mirror";
const agentSocket = "/run/sealaunch/agent.sock";
const startTimeoutMs = 12_000;
const time = "20\\d\\d-[^ ]+Z";

let network: Network;
let etcd: EtcdCluster;
let node: Machine;
let program = "";
beforeAll(async () => {
  network = await Network.create();
  etcd = await startEtcdIn(network, clockAhead(-3));
  node = await machine({
    network,
    files: { "/usr/lib/sysusers.d/sealaunch.conf": textOfFile("systemd/sealaunch.sysusers") },
  });
  await node.sh(`systemctl set-environment ${followsClock.join(" ")}; systemd-sysusers`);
  await setClock(-3);
  await enrol(node, { secret: "value 1", units: [unit] });
  await node.write(
    "/run/built/bin/shows",
    `#!/bin/sh\ncat "$CREDENTIALS_DIRECTORY/CF_TOKEN"\n`,
    0o755,
  );
  program = `${(await node.sh("nix-store --add /run/built")).trim()}/bin/shows`;
  await node.sh(`
    cd /srv/cluster
    sealaunch seal dns --in-place
    sed -i '1s#{#{"refuseStale": true,#' /etc/sealaunch/node.json`);
  await followEtcd(etcd, node, mirror);
  await node.sh(
    `sed -i 's#"dir:[^"]*"#"etcd:/etc/sealaunch/root.json"#' /srv/cluster/sealaunch.json`,
  );
  await asks("dns");
  await until(async () => (await start()).got === "value 1", "a first pass");
});
afterAll(async () => {
  for (const one of [node, etcd, network]) await one[Symbol.asyncDispose]();
});

/** After it, the machine's clock is so many hours ahead, for what runs there and what is started. */
async function setClock(hours: number): Promise<void> {
  for (const [path, content] of Object.entries(clockFiles(hours))) await node.write(path, content);
}

/** After it, the unit asks for that bundle, and may take so long to start. */
const asks = (bundle: string, timeoutMs = startTimeoutMs): Promise<void> =>
  node.unit(
    unit,
    `[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=${String(timeoutMs / 1000)}
LoadCredential=CF_TOKEN:${agentSocket}
LoadCredential=sealaunch:${agentSocket}
StandardOutput=truncate:/run/shows
ExecStart=/opt/sealaunch/wrapper/bin/sealaunch run --bundle ${bundle} -- ${program}
`,
  );

/** What a start under systemd got, "" if it was refused, and the codes and lines that the journal has of it. */
async function start(): Promise<{ got: string; codes: string[]; lines: string }> {
  const { status } = await node.run("systemctl", ["restart", unit]);
  const invocation = await node.show(unit, "InvocationID");
  const match = [`OBJECT_SYSTEMD_UNIT=${unit}`, `SEALAUNCH_INVOCATION=${invocation}`];
  let told: Readonly<Record<string, string>>[] = [];
  const isTold = async (): Promise<boolean> => {
    await node.sh("journalctl --sync");
    const text = await node.ok("journalctl", ["-q", "-o", "json", "--no-pager", ...match]);
    const lines = text.split("\n").filter((line) => line !== "");
    told = lines.map((line) => JSON.parse(line) as Readonly<Record<string, string>>);
    // What is said after a start: of what was opened, or refused.
    const last = status === 0 ? "SEALAUNCH_BUNDLE" : "SEALAUNCH_HINT";
    return told.some((line) => line[last] !== undefined);
  };
  await until(isTold, "how a start ended");
  return {
    got: status === 0 ? await node.sh("cat /run/shows") : "",
    codes: told.flatMap(({ SEALAUNCH_CODE }) => SEALAUNCH_CODE ?? []),
    lines: told.map(({ MESSAGE }) => MESSAGE).join("\n"),
  };
}

/** A launch in place. libfaketime shares memory with what it starts, which has to be of the same user. */
async function inPlace(bundle: string, more: readonly string[] = []): Promise<Ended> {
  const options = ["--bundle", bundle, "--user", "root", ...more];
  return node.run("sealaunch", ["run", "--in-place", ...options, "--", program]);
}

/** Whether the newest that is said of the unit is that it waits. */
async function isWaiting(): Promise<boolean> {
  const last = ["-q", "-o", "cat", "-n", "1", `OBJECT_SYSTEMD_UNIT=${unit}`];
  await node.sh("journalctl --sync");
  return (await node.ok("journalctl", last)).startsWith("waiting: ");
}

/** Somebody whose clock is right seals, and gives the number of what he has sealed. */
async function seal(value: string, options = ""): Promise<string> {
  const said = await node.sh(`
    cd /srv/cluster
    printf '%s' '${value}' >/run/token
    ${rightClock} sealaunch seal dns CF_TOKEN=/run/token --json ${options}`);
  return String((JSON.parse(said) as { readonly generation: number }).generation);
}

describe.for([-1, 1])("a node whose clock is %d h ahead of etcd's and of who seals", (hours) => {
  const value = `value at ${String(hours)}`;
  const warning = new RegExp(
    `^warning: bundle dns \\d+ was signed ${time}, and here it is ${time}$`,
    "mu",
  );

  it("starts on what is sealed, brought when it is asked for, and says if that is of the future", async () => {
    await setClock(hours);
    const generation = await seal(value);
    const launched = await inPlace(`dns@${generation}+`);
    expect(launched.status).toBe(0);
    expect(launched.stdout.toString()).toBe(value);
    await asks(`dns@${generation}+`);
    const started = await start();
    expect(started.got).toBe(value);
    if (hours < 0) {
      expect(launched.stderr).toMatch(warning);
      expect(started.lines).toMatch(warning);
      expect(started.codes).toContain("clock/behind");
    } else {
      expectDone(launched);
      expect(started.codes).toEqual([]);
    }
  });

  it("has a bundle end an hour early or late, and says both times", async () => {
    const half = new Date(Date.now() + 1_800_000).toISOString().replace(/\.\d+/u, "");
    const generation = await seal(value, `--expires ${half}`);
    await asks(`dns@${generation}+`);
    const [launched, started] = [await inPlace(`dns@${generation}+`), await start()];
    if (hours < 0) expect([launched.stdout.toString(), started.got]).toEqual([value, value]);
    else {
      expect(expectRefused(launched, "bundle/expired").stderr).toContain(half);
      expect(started.got).toBe("");
      expect(started.codes).toContain("bundle/expired");
      expect(started.lines).toContain(half);
    }
    await seal(value, "--expires 400d");
  });

  it("starts on what its mirror has where it takes etcd's certificate for none, and no start that insists hangs", async () => {
    const generation = await seal(`${value}, later`);
    expect((await inPlace(`dns@${generation}+`)).status).toBe(0);
    const names = etcd.endpoints.map((endpoint) => `IP:${new URL(endpoint).hostname}`);
    const options = ["-addext", `subjectAltName=${names.join(",")}`];
    etcd.issue("member", options, "ca", clockAhead(hours < 0 ? 0 : -47.5));
    await node.sh("systemctl restart sealaunch-sync.service");
    const said = async (): Promise<string> => {
      await node.sh("journalctl --sync");
      const invocation = await node.show("sealaunch-sync.service", "InvocationID");
      return node.sh(`journalctl -q -o cat _SYSTEMD_INVOCATION_ID=${invocation}`);
    };
    const what = hours < 0 ? "isn't valid yet" : "has expired";
    const pattern = `source/certificate: .+ shows a certificate that ${what} .+; here it is ${time}; .+timedatectl`;
    await expect.poll(said).toMatch(new RegExp(pattern, "u"));

    await asks("dns");
    expect((await start()).got).toBe(`${value}, later`);
    expect((await inPlace("dns")).stdout.toString()).toBe(`${value}, later`);
    let begun = Date.now();
    expectRefused(await inPlace("dns", ["--fresh"]), "mirror/not-fresh");
    expect(Date.now() - begun).toBeLessThan(startTimeoutMs);
    await asks("dns --fresh");
    begun = Date.now();
    const started = await start();
    expect(Date.now() - begun).toBeLessThan(startTimeoutMs);
    expect(started.got).toBe("");
    expect(started.codes.at(-1)).toBe("mirror/not-fresh");

    etcd.issue("member", options);
    // What was refused is tried again by itself.
    await until(async () => (await start()).got === `${value}, later`, "a start");
  });
});

describe("a node that is to refuse what is stale, whose clock is an hour behind the roster", () => {
  const said = new RegExp(`roster \\d+ was issued ${time}, and here it is ${time}`, "u");

  beforeAll(async () => {
    await setClock(0);
    await node.sh("cd /srv/cluster; sealaunch roster sign --renew --yes");
    await asks("dns --fresh");
    expect((await start()).codes).toEqual([]);
    await asks("dns");
  });

  it("launches nothing, and says both times and what sets a clock", async () => {
    await setClock(-1);
    const launched = expectRefused(await inPlace("dns"), "clock/behind");
    expect(launched.stderr).toMatch(said);
    expect(launched.stderr).toContain("timedatectl");
    const begun = Date.now();
    const { got, codes, lines } = await start();
    expect(got).toBe("");
    expect(lines).toMatch(new RegExp(`^waiting: ${said.source}$`, "mu"));
    expect(lines).toMatch(new RegExp(`^error: ${said.source}`, "mu"));
    expect(new Set(codes)).toEqual(new Set(["clock/behind"]));
    const took = Date.now() - begun;
    expect(took).toBeGreaterThan(startTimeoutMs / 4);
    expect(took).toBeLessThan(startTimeoutMs);
  });

  it("has the start that waits for it wait on for what it lacks when the clock is set, an hour forward", async () => {
    await setClock(-1);
    const next = Number(await seal("next")) + 1;
    await asks(`dns@${String(next)}+`, 20_000);
    const starting = start();
    await until(isWaiting, "a start that waits");
    await setClock(0);
    // It is tried again meanwhile, twice as late each time.
    await pause(4_000);
    await seal("what it lacked");
    expect((await starting).got).toBe("what it lacked");
    expectDone(await inPlace("dns"));
  });
});
