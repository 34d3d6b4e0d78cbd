import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { enrol } from "./enrolment.ts";
import { machine, type Machine } from "./machine.ts";

// Every setting that a careful unit might have, one at a time and together. Either the service starts
// with its secret, or 'sealaunch doctor' says beforehand why it can't. docs/hardening.md is what this
// test found: vitest run --project machines --update test/machines/hardening.test.ts writes it.

const tree = "/opt/tree";

/** Lines of [Service], by what the table calls them. */
const settings: readonly (readonly string[])[] = [
  ["ProtectSystem=full"],
  ["ProtectSystem=strict"],
  ["ProtectSystem=strict", "ReadOnlyPaths=/run"],
  ["ProtectHome=yes"],
  ["PrivateTmp=yes"],
  ["PrivateDevices=yes"],
  ["PrivateNetwork=yes"],
  ["PrivateUsers=yes"],
  ["PrivateIPC=yes"],
  ["PrivateMounts=yes"],
  ["PrivateMounts=no"],
  ["ProtectKernelTunables=yes"],
  ["ProtectKernelModules=yes"],
  ["ProtectKernelLogs=yes"],
  ["ProtectControlGroups=yes"],
  ["ProtectClock=yes"],
  ["ProtectHostname=yes"],
  ["ProtectProc=invisible"],
  ["ProtectProc=noaccess"],
  ["ProcSubset=pid"],
  ["NoNewPrivileges=yes"],
  ["CapabilityBoundingSet="],
  ["CapabilityBoundingSet=CAP_NET_BIND_SERVICE"],
  ["CapabilityBoundingSet=~CAP_SYS_ADMIN"],
  ["CapabilityBoundingSet=~CAP_SETUID CAP_SETGID CAP_SETPCAP"],
  ["CapabilityBoundingSet=~CAP_CHOWN CAP_FSETID CAP_SETFCAP"],
  ["CapabilityBoundingSet=~CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER"],
  ["AmbientCapabilities=CAP_NET_BIND_SERVICE"],
  ["RestrictNamespaces=yes"],
  ["RestrictNamespaces=~user"],
  ["RestrictAddressFamilies=AF_INET AF_INET6"],
  ["RestrictAddressFamilies=AF_UNIX"],
  ["RestrictAddressFamilies=none"],
  ["RestrictFileSystems=tmpfs ramfs ext4 overlay"],
  ["IPAddressDeny=any"],
  ["MemoryDenyWriteExecute=yes"],
  ["LockPersonality=yes"],
  ["RestrictRealtime=yes"],
  ["RestrictSUIDSGID=yes"],
  ["RemoveIPC=yes"],
  ["SystemCallArchitectures=native"],
  ["SystemCallFilter=@system-service"],
  ["SystemCallFilter=@system-service", "SystemCallFilter=~@privileged @resources"],
  ["SystemCallFilter=~@mount"],
  ["SystemCallFilter=~@mount", "SystemCallErrorNumber=EPERM"],
  ["SystemCallFilter=~@privileged"],
  ["SystemCallFilter=~@resources"],
  ["SystemCallFilter=~@setuid"],
  ["SystemCallFilter=~@chown"],
  ["SystemCallFilter=~@cpu-emulation @debug @keyring @obsolete"],
  ["SystemCallFilter=~@process"],
  ["DynamicUser=yes"],
  ["UMask=0077"],
  ["LimitAS=512M"],
  ["LimitAS=2G"],
  ["LimitDATA=64M"],
  ["LimitNOFILE=16"],
  ["LimitNPROC=1"],
  ["LimitFSIZE=0"],
  ["LimitMEMLOCK=0"],
  ["LimitSTACK=256K"],
  ["MemoryMax=32M"],
  ["TasksMax=1"],
  ["TasksMax=4"],
  ["CPUQuota=5%"],
  ["ReadOnlyPaths=/"],
  ["InaccessiblePaths=/nix/var"],
  ["InaccessiblePaths=/nix/store"],
  ["InaccessiblePaths=/run/sealaunch"],
  ["TemporaryFileSystem=/run"],
  ["TemporaryFileSystem=/nix"],
  ["NoExecPaths=/", "ExecPaths=/nix/store"],
  ["NoExecPaths=/", "ExecPaths=/nix/store /usr /opt/sealaunch"],
  ["RootDirectory=/opt/empty"],
  [`RootDirectory=${tree}`, "BindReadOnlyPaths=/nix/store /opt/sealaunch", "MountAPIVFS=yes"],
  ["SecureBits=noroot-locked"],
  ["SecureBits=no-setuid-fixup-locked"],
  ["KeyringMode=private"],
  ["DevicePolicy=closed"],
  ["SupplementaryGroups=adm"],
];

// Those that can't be had together with the rest.
const alone =
  /^(?:TasksMax=1$|LimitNPROC|Root|TemporaryFileSystem|Inaccessible|NoExec|Private(?:Mounts=no|Devices)|ReadOnlyPaths|SystemCallFilter=~@(?:process|mount)|Ambient|Supplementary|SecureBits|CPUQuota|Limit|MemoryMax|ProtectSystem=full|ProtectProc=noaccess|CapabilityBoundingSet=.|RestrictAddressFamilies=AF|RestrictFileSystems|SystemCallErrorNumber)/u;
const together = settings.flat().filter((line) => !alone.test(line));

const secret = "correct horse battery staple";
const unitOf = (index: number): string => `hardened-${String(index)}.service`;

let node: Machine;
let program = "";
beforeAll(async () => {
  node = await machine();
  const units = [...settings, together].map((_, index) => unitOf(index));
  await enrol(node, { secret, units });
  program = (
    await node.sh(`
      mkdir -p /run/built/bin /opt/empty ${tree}/bin ${tree}/usr/bin ${tree}/nix ${tree}/opt/sealaunch
      mkdir -p ${tree}/proc ${tree}/sys ${tree}/dev ${tree}/run ${tree}/tmp
      for file in /bin/sh /usr/bin/sha256sum; do
        cp -L $file ${tree}$file
        for library in $(ldd $file | grep -o '/[^ ]*'); do
          mkdir -p "${tree}\${library%/*}"
          cp -L "$library" "${tree}$library"
        done
      done
      # It forks nothing, so that limits are met by the wrapper alone.
      printf '%s\\n' '#!/bin/sh' 'read -r value <"$CREDENTIALS_DIRECTORY/CF_TOKEN"' '[ "$value" = "${secret}" ]' >/run/built/bin/check
      chmod +x /run/built/bin/check
      nix-store --add /run/built`)
  ).trim();
});
afterAll(() => node[Symbol.asyncDispose]());

const textOf = (lines: readonly string[]): string => `[Unit]
StartLimitIntervalSec=0
[Service]
Type=oneshot
${lines.some((line) => line.startsWith("DynamicUser")) ? "" : "User=nobody\n"}TimeoutStartSec=30
LoadCredential=CF_TOKEN:/run/sealaunch/agent.sock
LoadCredential=sealaunch:/run/sealaunch/agent.sock
ExecStart=/opt/sealaunch/wrapper/bin/sealaunch run --bundle dns -- ${program}/bin/check
${lines.join("\n")}
`;

/** What became of a unit that was started: it has its secret, or what doctor says of it. */
async function outcome(unit: string): Promise<string> {
  if ((await node.show(unit, "Result")) === "success") return "starts";
  const doctor = await node.run("sealaunch", ["doctor", unit]);
  if (doctor.status === 0) return `fails, and doctor finds nothing: ${await lastLines(unit)}`;
  const text = doctor.stdout.toString() + doctor.stderr;
  return `doctor: ${/^error: (.*)$/mu.exec(text)?.[1] ?? text}`;
}

const lastLines = (unit: string): Promise<string> =>
  node.sh(`journalctl -u ${unit} -n 4 -o cat --no-pager | tr '\\n' ' '`);

describe("a hardened unit", () => {
  it("starts with its secret, or doctor says beforehand why it can't", async () => {
    for (const [index, lines] of [...settings, together].entries()) {
      await node.write(`/etc/systemd/system/${unitOf(index)}`, textOf(lines));
    }
    await node.ok("systemctl", ["daemon-reload"]);
    await node.run("systemctl", ["start", ...[...settings, together].map((_, i) => unitOf(i))]);
    const rows: string[] = [];
    for (const [index, lines] of settings.entries()) {
      const found = await outcome(unitOf(index));
      rows.push(`| \`${lines.join("` `")}\` | ${found.replaceAll(unitOf(index), "UNIT")} |`);
    }
    const all = await outcome(unitOf(settings.length));
    expect(all).toBe("starts");
    expect(rows.filter((row) => row.includes("finds nothing"))).toEqual([]);
    const page = `# Hardening

Measured on a booted machine, one setting at a time: a oneshot service whose program checks its secret,
through the wrapper and the agent. Those that start by themselves also start all together. Written by
\`vitest run --project machines --update test/machines/hardening.test.ts\`, and held by it.

Limits that need cgroup v2 (\`MemoryMax=\`, \`TasksMax=\`, \`CPUQuota=\`) may not be enforced where this ran.

| setting | what happens |
| --- | --- |
${rows.join("\n")}
`;
    await expect(page).toMatchFileSnapshot("../../docs/hardening.md");
  });
});
