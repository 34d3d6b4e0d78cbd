import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isAsShown, promptedSteps, type PromptedStep } from "../fixtures/prompted.ts";
import { DnsPool } from "./dns-pool.ts";
import type { Machine } from "./machine.ts";
import { tracesOf } from "./traces.ts";

const sections = promptedSteps("examples/dns-records/README.md");
const unit = "dns-records.service";
const mirror = "/var/lib/sealaunch-mirror";

let pool: DnsPool;
beforeAll(async () => {
  pool = await DnsPool.create();
});
afterAll(() => pool[Symbol.asyncDispose]());

/** What follows by itself is asked for until it is so. */
const isAsked = /^(?:dig|ssh \S+ (?:sealaunch status|systemctl status))\b/u;

// A node of two has its turn to restart within a minute; the rest is for hearing of it and for restarting.
const patienceMs = 120_000;

async function follow({ who, command, shown }: PromptedStep): Promise<void> {
  const isRefused = shown.some((line) => line.startsWith("error: "));
  const deadline = Date.now() + (isAsked.test(command) ? patienceMs : 0);
  for (;;) {
    const { status, stdout, stderr } = await pool.run(who, command);
    const printed = `${stdout.toString()}${stderr}`;
    const isEnded = (status === 0) !== isRefused;
    const isShown = (shown.length === 0 && !isAsked.test(command)) || isAsShown(printed, shown);
    if (isEnded && isShown) return;
    if (Date.now() >= deadline) expect.fail(`it ended with ${String(status)}:\n${printed}`);
    await pause(200);
  }
}

/** Does what the page says there. */
function follows(section: string): void {
  const steps = sections.get(section) ?? [];
  it("is there", () => {
    expect(steps).not.toEqual([]);
  });
  it.for(steps)("works: $who $command", follow);
}

const node = (name: string): Machine => pool.machine(name);
const secretOf = async (slot: string): Promise<string> =>
  (
    await pool.ns1.sh(`sed -n 's/.*secret "\\(.*\\)".*/\\1/p' /etc/bind/dns-records-${slot}.key`)
  ).trim();

/** The secret of the first key, as it was before it was revoked. */
let first = "";

describe("the name server and etcd", () => {
  follows("The name server and etcd");
});

describe("the pool", () => {
  follows("The pool");

  it("has a neighbour, with a machine that isn't in it", async () => {
    await follow({ who: "ops", command: "sealaunch roster add-pool mail --yes", shown: ["…"] });
    const words = "--pool mail --identity operator.identity --yes";
    const command = `sealaunch roster add-node --ssh root@n3 ${words}`;
    await follow({ who: "ops", command, shown: ["…"] });
  });
});

describe("the service", () => {
  follows("The service");

  it("runs from the cache, with a closure of its own, as its unit's own process", async () => {
    first = await secretOf("a");
    const program = / (\/nix\/store\/[^/]+)\/bin\/dns-records /u;
    const path = program.exec(await node("n1").sh(`systemctl cat ${unit}`))?.[1] ?? "";
    const pid = await node("n1").show(unit, "MainPID");
    const maps = await node("n1").sh(`grep -o ' /.*' /proc/${pid}/maps | sort -u`);
    expect(maps).toContain(" /nix/store/");
    expect(maps).not.toMatch(/ \/(?:usr|lib|opt)/u);
    expect(await node("n1").sh(`nix-store --query --roots ${path}`)).toContain(unit);
    expect(await node("n1").show(unit, "ActiveState")).toBe("active");
    expect(await node("n2").show(unit, "ActiveState")).toBe("inactive");
  });

  it("has left nothing of the key on the laptop that sealed it", async () => {
    expect(await tracesOf(pool.laptop, first)).toEqual([[]]);
  });
});

describe("a new key", () => {
  follows("A new key");

  it("is all that the server takes, and what the service has", async () => {
    const second = await secretOf("b");
    const has = await node("n1").sh(`cat /run/credentials/${unit}/tsig.key`);
    expect(has).toContain(second);
    const key = `hmac-sha256:dns-records-a:${first}`;
    const update = "server ns1\\nzone example.org\\nupdate delete www.example.org\\nsend\\n";
    const { status, stderr } = await pool.run("", `printf '${update}' | nsupdate -y ${key}`);
    expect(stderr).toMatch(/BADSIG|NOTAUTH/u);
    expect(status).not.toBe(0);
  });
});

describe("another machine", () => {
  follows("Another machine");

  it("runs it, and n1 doesn't", async () => {
    expect(await node("n2").show(unit, "ActiveState")).toBe("active");
    expect(await node("n1").show(unit, "ActiveState")).toBe("inactive");
    expect(await node("n1").sh(`ls /etc/systemd/system/multi-user.target.wants`)).not.toContain(
      unit,
    );
  });

  it("is where the names are followed from", async () => {
    await pool.run("etcd", "etcdctl put /dns/example.org/moved 'TXT by n2'");
    await follow({ who: "", command: "dig +short @ns1 moved.example.org TXT", shown: ['"by n2"'] });
    const journal = `journalctl -q -o cat -u ${unit} --grep moved`;
    expect((await node("n2").run("sh", ["-c", journal])).stdout.toString()).toContain("by n2");
    expect((await node("n1").run("sh", ["-c", journal])).stdout.toString()).toBe("");
  });

  it("has the secrets in its credentials alone, and the first has them nowhere", async () => {
    const etcdSecret = (
      await pool.laptop.sh("sed -n '/PRIVATE/{n;p;q}' /srv/cluster/etcd.pem")
    ).trim();
    const secrets = [await secretOf("b"), etcdSecret, first];
    for (const secret of secrets) expect(secret).toMatch(/^[A-Za-z0-9+/=]{40,}$/u);
    const traces = await tracesOf(node("n2"), ...secrets);
    const place = `/run/credentials/${unit}`;
    const files = traces.map((of) => of.filter((trace) => trace.startsWith("/")));
    expect(files).toEqual([[`${place}/tsig.key`], [`${place}/etcd.pem`], []]);
    expect(traces[2]).toEqual([]);
    expect(await tracesOf(node("n1"), ...secrets)).toEqual([[], [], []]);
  });

  it("would be found to have one, if it did", async () => {
    const [front, back] = [randomUUID(), randomUUID()] as const;
    // Neither command has it whole.
    const holder = `systemd-run --quiet --unit=holder sh -c 'it="$(echo ${front})-${back}"; echo "$it" >/var/tmp/it; while :; do sleep 1; done'`;
    await node("n1").sh(`${holder}; until [ -s /var/tmp/it ]; do sleep 0.1; done`);
    const traces = await tracesOf(node("n1"), `${front}-${back}`);
    expect(traces).toEqual([["/var/tmp/it", "memory of sh"]]);
  });

  it("outside of the pool is refused, and says why, whoever copies the unit there", async () => {
    const text = await node("n2").sh(`systemctl cat ${unit} | grep -v '^# /'`);
    await node("n3").unit(unit, text.replace("TimeoutStartSec=300s", "TimeoutStartSec=8s"));
    expect(await refusal(node("n3"))).toMatch(
      /has no bundle dns-records\n.*says for which pools it is: a node gets those of its own/u,
    );
    // Also with all that n2 has of it.
    const sealed = await node("n2").run("tar", ["-C", mirror, "-c", "."]);
    await node("n3").ok("tar", ["-C", mirror, "-x"], sealed.stdout);
    expect(await refusal(node("n3"))).toMatch(
      /it is for dns, and recipient [0-9a-f]+ is a member of none/u,
    );
  });
});

/** What a machine's agent says of why the service isn't started. */
async function refusal(machine: Machine): Promise<string> {
  const since = (await machine.sh("date +%s")).trim();
  const { status } = await machine.run("systemctl", ["start", unit]);
  expect(status).not.toBe(0);
  await machine.sh(`systemctl stop ${unit}; journalctl --sync`);
  const match = [`--since=@${since}`, `OBJECT_SYSTEMD_UNIT=${unit}`];
  return machine.ok("journalctl", ["-q", "-o", "cat", ...match]);
}
