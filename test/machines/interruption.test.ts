import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { chance, count } from "../soak.ts";
import { enrol } from "./enrolment.ts";
import { machine, type Machine } from "./machine.ts";

// Whatever happens to the agent, no program runs with a credential that is missing, empty, cut short or
// of another generation than the rest. The program compares them itself, and says so if one is wrong. Here
// chance says when; fail-closed.test.ts goes step by step.

const secret = "correct horse battery staple";

let node: Machine;
beforeAll(async () => {
  node = await machine();
  await enrol(node, { secret, units: ["dns.service", "many@"] });
  await node.write(
    "/run/check",
    `#!/bin/sh
# Both credentials have to be of the same generation.
read -r token <"$CREDENTIALS_DIRECTORY/CF_TOKEN"
read -r generation <"$CREDENTIALS_DIRECTORY/LARGE"
size=$(wc -c <"$CREDENTIALS_DIRECTORY/LARGE")
echo "$1 $generation" >>/run/ran
[ "$token" = "${secret} $generation" ] && [ "$size" = 700002 ] || echo "$1: $token, $generation, $size" >>/run/wrong
[ "$2" = stay ] || exit 0
exec sleep 600
`,
    0o755,
  );
  await seal(1);
});
afterAll(() => node[Symbol.asyncDispose]());
beforeEach(async () => {
  await node.sh(`
    systemctl stop 'many@*.service' dns.service dependant.service 2>/dev/null || :
    systemctl reset-failed
    systemctl start sealaunch-agent.socket
    rm -f /run/ran /run/wrong; touch /run/ran /run/wrong; chmod 666 /run/ran /run/wrong`);
});

/** Seals both credentials anew, so that each says which round it is of. */
async function seal(round: number): Promise<void> {
  await node.sh(`
    cd /srv/cluster
    printf '%s\\n' '${secret} ${String(round)}' >/run/token
    { echo ${String(round)}; head -c 700000 /dev/zero | tr '\\0' x; } >/run/large
    sealaunch seal dns CF_TOKEN=/run/token LARGE=/run/large 2>/dev/null
    rm /run/token /run/large`);
}

const wrapper = "/opt/sealaunch/wrapper/bin/sealaunch";
const text = (lines = "", bundle = "dns"): string => `[Unit]
StartLimitIntervalSec=0
[Service]
Type=exec
TimeoutStartSec=20
User=nobody
LoadCredential=CF_TOKEN:/run/sealaunch/agent.sock
LoadCredential=LARGE:/run/sealaunch/agent.sock
LoadCredential=sealaunch:/run/sealaunch/agent.sock
${lines}
ExecStart=${wrapper} run --bundle ${bundle} -- /run/check %n stay
`;

const state = (unit: string): Promise<string> => node.show(unit, "ActiveState");

/** After it, a unit is neither starting nor stopping; its state. */
async function settled(unit: string): Promise<string> {
  return (
    await node.sh(`
      for i in $(seq 600); do
        state=$(systemctl show --value -p ActiveState ${unit})
        case $state in activating | deactivating) sleep 0.05 ;; *) break ;; esac
      done
      echo $state`)
  ).trim();
}

/** What has run, in the order of the alphabet, once it is so many lines: a program writes after its start. */
async function ran(lines: number): Promise<string[]> {
  const script = `
    for i in $(seq 60); do
      [ "$(wc -l </run/ran)" -ge ${String(lines)} ] && break
      sleep 0.05
    done
    sort /run/ran`;
  return (await node.sh(script)).split("\n").filter((line) => line !== "");
}

const wrong = (): Promise<string> => node.sh("cat /run/wrong");

describe("an agent that ends", () => {
  it("before, between and in the middle of its answers starts nothing on half of them", async () => {
    await node.unit("dns.service", text());
    const states: string[] = [];
    const random = chance("when the agent is killed");
    for (let round = 0; round < count(120); round++) {
      const wait = (random() * 0.06).toFixed(3);
      await node.sh(`
        systemctl start --no-block dns.service
        sleep ${wait}
        systemctl kill -s KILL sealaunch-agent.service 2>/dev/null || :`);
      states.push(await settled("dns.service"));
      await node.sh("systemctl stop dns.service; systemctl reset-failed");
    }
    expect(await wrong()).toBe("");
    for (const one of states) expect(one).toMatch(/^(?:active|failed)$/u);
    expect(states).toContain("active");
    await node.ok("systemctl", ["start", "dns.service"]);
  });

  it.for([
    ["killed", "Restart=on-failure\nRestartSec=200ms", "kill -s KILL"],
    // What it has accepted it answers before it ends, so that nothing has to be started again.
    ["restarted", "Restart=no", "restart"],
  ])("five times while many units start at once starts all of them: %s", async ([, lines, act]) => {
    const units = count(300);
    // All of them on two processors, which others may want too.
    await node.unit("many@.service", text(`TimeoutStartSec=300\n${lines ?? ""}`));
    await node.sh(`
      systemctl start --no-block $(for i in $(seq ${String(units)}); do echo many@$i; done)
      for i in 1 2 3 4 5; do
        sleep 0.3
        systemctl ${act ?? ""} sealaunch-agent.service 2>/dev/null || :
      done`);
    const running = (): Promise<string> =>
      node.sh("systemctl list-units --no-legend --state=running 'many@*' | wc -l");
    for (let tries = 0; (await running()).trim() !== String(units) && tries < 900; tries++) {
      await node.sh("sleep 0.2");
    }
    expect((await running()).trim()).toBe(String(units));
    expect(await wrong()).toBe("");
  });
});

describe("a start without an agent", () => {
  it("waits while the agent can't run, and starts once it can", async () => {
    await node.unit("dns.service", text());
    const broken = "/etc/systemd/system/sealaunch-agent.service.d/broken.conf";
    await node.write(broken, "[Service]\nExecStartPre=/bin/false\n");
    await node.sh("systemctl daemon-reload; systemctl stop sealaunch-agent.service");
    await node.sh("systemctl start --no-block dns.service; sleep 1");
    expect(await state("dns.service")).toBe("activating");
    await node.sh(`rm ${broken}; systemctl daemon-reload`);
    expect(await settled("dns.service")).toBe("active");
    expect(await wrong()).toBe("");
  });

  it("is refused with its reason where anybody looks, once, and then counted", async () => {
    // The second TimeoutStartSec= counts: what may still come is waited for.
    await node.unit("dns.service", text("TimeoutStartSec=3", "dns@999+"));
    expect((await node.run("systemctl", ["start", "dns.service"])).status).not.toBe(0);
    const status = (await node.run("systemctl", ["status", "dns.service"])).stdout.toString();
    expect(status).toMatch(/sealaunch\[\d+\]: error: bundle dns \d is below the floor 999/u);
    await node.run("systemctl", ["start", "dns.service"]);
    const words = "-u dns.service -o cat --no-pager SEALAUNCH_CODE=bundle/below-floor";
    const log = await node.sh(`journalctl ${words}`);
    expect(log.match(/^hint: /gmu)).toHaveLength(1);
    expect(log).toMatch(/ \(2 times in a row\)$/mu);
    expect(await ran(0)).toEqual([]);
  });
});

describe("credentials that are too large together", () => {
  it("are refused before anything is delivered", async () => {
    await node.sh(`
      cd /srv/cluster
      head -c 700000 /dev/zero >/run/more
      sealaunch seal dns MORE=/run/more 2>/dev/null`);
    await node.unit("dns.service", text("LoadCredential=MORE:/run/sealaunch/agent.sock"));
    expect((await node.run("systemctl", ["start", "dns.service"])).status).not.toBe(0);
    const log = await node.sh("journalctl -u dns.service -n 20 -o verbose --no-pager");
    expect(log).toContain("SEALAUNCH_CODE=credential/too-large");
    await node.sh("cd /srv/cluster && sealaunch seal dns --remove MORE");
  });
});
