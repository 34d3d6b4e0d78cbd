import { describe, expect, it } from "vitest";
import { chance, count } from "../soak.ts";
import { enrol } from "./enrolment.ts";
import { machine, type Machine } from "./machine.ts";

const secret = "correct horse battery staple";
const wrapper = "/opt/sealaunch/wrapper/bin/sealaunch";

/** After it, the store has a program that checks its secret and stays; its path. */
async function addService(node: Machine, name: string): Promise<string> {
  const script = `#!/bin/sh
# ${name}
read -r token <"$CREDENTIALS_DIRECTORY/CF_TOKEN"
[ "$token" = "${secret}" ] || exit 1
exec sleep 600
`;
  await node.write(`/run/built-${name}/bin/service`, script, 0o755);
  return (await node.sh(`nix-store --add /run/built-${name}`)).trim();
}

const text = (program: string): string => `[Unit]
StartLimitIntervalSec=0
[Service]
Type=exec
LoadCredential=CF_TOKEN:/run/sealaunch/agent.sock
LoadCredential=sealaunch:/run/sealaunch/agent.sock
ExecStart=${wrapper} run --bundle dns -- ${program}/bin/service
`;

const starts = 30;
const units = Array.from({ length: starts }, (_, index) => `many@${String(index + 1)}.service`);

describe("a power cut during thirty starts", () => {
  it("lets everything start after the next boot, also when garbage is collected first", async () => {
    await using node = await machine({ hasDisk: true });
    await enrol(node, { secret, units: ["many@"] });
    const program = await addService(node, "many");
    await node.unit("many@.service", text(program));
    // All of it has run once: what isn't there could not be fetched here.
    await node.sh(`systemctl start ${units.join(" ")}; systemctl stop 'many@*.service'; sync`);
    const random = chance("when the power is cut");
    for (let round = 0; round < count(10); round++) {
      await node.sh(`
        systemctl start --no-block ${units.join(" ")}
        sleep ${(random() * 1.5).toFixed(2)}`);
      await node.powerCut();
      await node.boot();
      await node.sh("nix-collect-garbage >/dev/null 2>&1");
      await node.ok("systemctl", ["start", ...units]);
      await node.sh("sleep 0.5");
      const running = await node.sh(
        "systemctl list-units --no-legend --state=running 'many@*' | wc -l",
      );
      expect(Number(running)).toBe(starts);
      expect(await node.sh("nix-store --verify --check-contents 2>&1 | grep -i error || :")).toBe(
        "",
      );
    }
  });
});

describe("a collection of garbage, with keepClosures 0", () => {
  it("takes what stopped services ran, and nothing of one that runs", async () => {
    await using node = await machine();
    await enrol(node, { secret, units: ["stopped.service", "running.service"] });
    await node.sh(`
      jq '.keepClosures = 0' /etc/sealaunch/node.json >/run/node.json
      cat /run/node.json >/etc/sealaunch/node.json`);
    const [stopped, running] = [
      await addService(node, "stopped"),
      await addService(node, "running"),
    ];
    await node.unit("stopped.service", text(stopped));
    await node.unit("running.service", text(running));
    await node.ok("systemctl", ["start", "stopped.service", "running.service"]);
    expect(await node.sh("nix-store --gc --print-dead 2>/dev/null")).not.toContain(stopped);
    await node.ok("systemctl", ["stop", "stopped.service"]);
    await node.ok("systemctl", ["restart", "sealaunch-agent.service"]);
    const isKept = async (unit: string): Promise<boolean> =>
      (await node.run("test", ["-e", `/var/lib/sealaunch/roots/${unit}`])).status === 0;
    for (let tries = 0; (await isKept("stopped.service")) && tries < 100; tries++) {
      await node.sh("sleep 0.2");
    }
    await node.sh("nix-collect-garbage 2>/dev/null");
    expect((await node.run("test", ["-e", stopped])).status).toBe(1);
    expect((await node.run("test", ["-e", running])).status).toBe(0);
    expect(await isKept("running.service")).toBe(true);
    await node.ok("systemctl", ["restart", "running.service"]);
  });
});
