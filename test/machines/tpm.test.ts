import { describe, expect, it } from "vitest";
import { exitStatus, failures } from "../../src/failure.ts";
import type { Ended } from "../fixtures/program.ts";
import { enrol } from "./enrolment.ts";
import { machine, type Machine } from "./machine.ts";

// There is no kernel driver for a TPM in software here, so PID 1 and systemd-creds are told where it is.
const device = "SYSTEMD_TPM2_DEVICE=swtpm:path=/run/tpm/socket";
const files = {
  "/etc/systemd/system.conf.d/tpm.conf": `[Manager]\nManagerEnvironment=${device}\n`,
  "/etc/systemd/system/tpm.service": `[Service]
ExecStartPre=/bin/mkdir -p /root/tpm /run/tpm
ExecStartPre=/bin/rm -f /run/tpm/socket
ExecStart=/usr/bin/swtpm socket --tpm2 --tpmstate dir=/root/tpm --flags not-need-init,startup-clear \\
  --server type=unixio,path=/run/tpm/socket --ctrl type=unixio,path=/run/tpm/socket.ctrl
ExecStartPost=/bin/sh -c 'until [ -S /run/tpm/socket ]; do sleep 0.05; done'
`,
};

// A start of a unit without a time limit would wait for an agent for ever.
const service = `[Service]
Type=oneshot
TimeoutStartSec=10
LoadCredential=CF_TOKEN:/run/sealaunch/agent.sock
LoadCredential=sealaunch:/run/sealaunch/agent.sock
ExecStartPre=/usr/bin/sealaunch check --bundle dns
ExecStart=/bin/cp %d/CF_TOKEN /run/got
`;

async function machineWithTpm(): Promise<Machine> {
  const node = await machine({ files });
  await node.sh(`
    mv /usr/bin/systemd-creds /usr/bin/systemd-creds.real
    printf '#!/bin/sh\\n${device} exec /usr/bin/systemd-creds.real "$@"\\n' >/usr/bin/systemd-creds
    chmod 0755 /usr/bin/systemd-creds
    systemctl start tpm`);
  await node.unit("dns.service", service);
  return node;
}

/** How dns.service starts with an agent that is new, and a TPM as after a boot. */
async function start(node: Machine): Promise<number | null> {
  await node.sh("systemctl stop sealaunch-agent.service; systemctl restart tpm");
  return (await node.run("systemctl", ["start", "dns.service"])).status;
}

/** What a thief has who copies the disk, but for the TPM. */
const disk =
  "etc/sealaunch etc/credstore.encrypted var/lib/systemd/credential.secret var/lib/sealaunch srv/cluster";

describe("a machine with a TPM", () => {
  it("has what its bundles hold, and a copy of its disk without that TPM has nothing", async () => {
    await using node = await machineWithTpm();
    await enrol(node, {
      secret: "correct horse",
      units: ["dns.service"],
      identity: ["--with-key", "host+tpm2"],
    });
    expect(await start(node)).toBe(0);
    expect(await node.sh("cat /run/got")).toBe("correct horse");
    const copy = (await node.run("tar", ["-C", "/", "-c", ...disk.split(" ")])).stdout;
    const tpm = (await node.run("tar", ["-C", "/", "-c", "root/tpm"])).stdout;

    await using thief = await machineWithTpm();
    await thief.ok("tar", ["-C", "/", "-x"], copy);
    expect(await start(thief)).not.toBe(0);
    expect(await thief.sh("journalctl --boot --unit sealaunch-agent --output cat")).toContain(
      "sealaunch-agent.service: Failed to set up credentials",
    );
    const file = "/etc/credstore.encrypted/sealaunch-identity";
    const show = (): Promise<Ended> => thief.run("sealaunch", ["identity", "show", file]);
    expect((await show()).stderr).toMatch(/^error: [^\n]*-identity can't be decrypted: /u);
    await thief.sh("systemctl stop tpm");
    expect((await show()).status).toBe(exitStatus[failures["identity/undecryptable"][0]]);
    expect(await thief.sh("ls /run/got 2>/dev/null || :")).toBe("");

    // Nothing else was missing.
    await thief.sh("rm -r /root/tpm");
    await thief.ok("tar", ["-C", "/", "-x"], tpm);
    expect(await start(thief)).toBe(0);
    expect(await thief.sh("cat /run/got")).toBe("correct horse");
  });
});
