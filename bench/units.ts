// A unit's start on a booted machine, from the moment that systemd leaves "inactive" to the moment that the
// program has compared its secret; one at a time, and many at once:
//
//   npm run bench:units [ROUNDS] [AT-ONCE]        as root
//
// The program is the same in every variant. What can't be counted here is the memory's peak and processor
// time by unit: that needs control groups of version 2 in the machine.
import { enrol } from "../test/machines/enrolment.ts";
import { machine } from "../test/machines/machine.ts";
import { inOrder, report, reportMachine } from "./measure.ts";

const rounds = Number(process.argv[2] ?? 30);
const atOnce = Number(process.argv[3] ?? 100);
const secret = "correct horse battery staple";
const base = "nix-store; age; setpriv";
const warm = "Sealaunch, warm agent";
const cold = "Sealaunch, cold agent";

await using node = await machine();
await enrol(node, { secret, units: ["warm@", "cold@"] });
await node.sh("cd /srv/cluster && sealaunch seal dns --in-place");

// The program is to cost little beside what is measured: bash starts in a millisecond, has a clock of
// microseconds, and is on every Debian.
await node.write(
  "/run/built/bin/service",
  `#!/bin/bash
if [ "$2" != none ]; then
  value=\${CF_TOKEN-}
  [ -n "$value" ] || IFS= read -r value <"$CREDENTIALS_DIRECTORY/CF_TOKEN"
  [ "$value" = "${secret}" ] || exit 1
fi
echo "\${EPOCHREALTIME/./}" >"/run/stamps/$1"
IFS= read -r end <>/run/hold
`,
  0o755,
);
await node.write("/run/keys/CF_TOKEN", secret, 0o600);
await node.write("/run/keys/environment", `CF_TOKEN="${secret}"\n`, 0o600);
await node.write(
  "/run/pipeline",
  `#!/bin/sh
set -e
nix-store -r "$1" --add-root "/run/roots/$2" >/dev/null
mkdir -m 0700 "/run/pipeline.$2"
age -d -i /run/keys/age -o "/run/pipeline.$2/CF_TOKEN" /run/keys/CF_TOKEN.age
chown -R nobody "/run/pipeline.$2"
CREDENTIALS_DIRECTORY=/run/pipeline.$2
export CREDENTIALS_DIRECTORY
exec setpriv --reuid nobody --regid nogroup --clear-groups -- "$1/bin/service" "$2"
`,
  0o755,
);
const path = (
  await node.sh(`
    mkdir -p /run/stamps /run/roots; chmod 1777 /run/stamps
    mkfifo /run/hold; chmod 0666 /run/hold
    age-keygen -o /run/keys/age 2>/dev/null
    age -r "$(age-keygen -y /run/keys/age)" -o /run/keys/CF_TOKEN.age /run/keys/CF_TOKEN
    systemd-creds encrypt --with-key=host --name=CF_TOKEN /run/keys/CF_TOKEN /run/keys/CF_TOKEN.cred
    nix-store --add /run/built`)
).trim();
const program = `${path}/bin/service`;
const wrapper = "/opt/sealaunch/wrapper/bin/sealaunch run --bundle dns --";
const sealed = [
  "LoadCredential=CF_TOKEN:/run/sealaunch/agent.sock",
  "LoadCredential=sealaunch:/run/sealaunch/agent.sock",
];

/** A variant: its lines, by which it differs from the others. */
const variants: Readonly<Record<string, readonly string[]>> = {
  "bare, no secret": [`ExecStart=${program} %p-%i none`],
  "LoadCredential= a file": [
    "LoadCredential=CF_TOKEN:/run/keys/CF_TOKEN",
    `ExecStart=${program} %p-%i`,
  ],
  "LoadCredentialEncrypted=": [
    "LoadCredentialEncrypted=CF_TOKEN:/run/keys/CF_TOKEN.cred",
    `ExecStart=${program} %p-%i`,
  ],
  "LoadCredential=, nix-store -r": [
    "LoadCredential=CF_TOKEN:/run/keys/CF_TOKEN",
    `ExecStartPre=+/usr/bin/nix-store -r ${path} --add-root /run/roots/%p-%i`,
    `ExecStart=${program} %p-%i`,
  ],
  "nix-expr@, EnvironmentFile=": [
    "EnvironmentFile=/run/keys/environment",
    `ExecStartPre=+/bin/sh -c 'systemctl start nix-expr@%p-%i.service'`,
    `ExecStart=${program} %p-%i`,
  ],
  [base]: ["User=root", `ExecStart=/run/pipeline ${path} %p-%i`],
  [warm]: [...sealed, `ExecStart=${wrapper} ${program} %p-%i`],
  [cold]: [...sealed, `ExecStart=${wrapper} ${program} %p-%i`],
  "Sealaunch, in place": [
    "User=root",
    `ExecStart=/usr/bin/sealaunch run --in-place --bundle dns --user nobody -- ${program} %p-%i`,
  ],
};
const names = Object.keys(variants);
const unitName = (variant: string): string =>
  ({ [warm]: "warm", [cold]: "cold" })[variant] ?? `v${String(names.indexOf(variant))}`;

await node.write(
  "/etc/systemd/system/nix-expr@.service",
  `[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=oneshot\nExecStart=/usr/bin/nix-store -r ${path} --add-root /run/roots/%i\n`,
);
for (const [variant, lines] of Object.entries(variants)) {
  const text = [
    "[Unit]",
    "StartLimitIntervalSec=0",
    "[Service]",
    "Type=exec",
    "User=nobody",
    ...lines,
  ];
  await node.write(`/etc/systemd/system/${unitName(variant)}@.service`, `${text.join("\n")}\n`);
}
await node.ok("systemctl", ["daemon-reload"]);

/** From the first of the units' leaving "inactive" to the last one's secret, in milliseconds. */
async function start(variant: string, count: number): Promise<number> {
  const unit = unitName(variant);
  const agent =
    variant === cold
      ? "systemctl stop sealaunch-agent.service 2>/dev/null"
      : "systemctl start sealaunch-agent.service";
  const script = `
    units=$(for i in $(seq ${String(count)}); do echo ${unit}@$i; done)
    ${agent}
    rm -rf /run/stamps/* /run/pipeline.*
    systemctl start $units
    for i in $(seq 400); do
      [ "$(ls /run/stamps | wc -l)" = ${String(count)} ] && break
      sleep 0.05
    done
    systemctl show --timestamp=us+utc --value --property=InactiveExitTimestamp $units | grep . |
      sort -k 2,3 | head -1 | { read -r day rest; date -d "$rest" +%s%6N; }
    cat /run/stamps/* | sort -n | tail -1
    ls /run/stamps | wc -l
    systemctl stop $units`;
  const lines = (await node.sh(script)).trim().split("\n").map(Number);
  const [from = 0, to = 0, stamped] = lines;
  if (stamped !== count)
    throw new Error(`${variant}: ${String(stamped)} of ${String(count)} started`);
  return (to - from) / 1000;
}

/** Runs variants, in another order each round. */
async function measure(
  measured: readonly string[],
  count: number,
  times: number,
): Promise<[string, number[]][]> {
  const found = new Map(measured.map((name) => [name, [] as number[]]));
  // The first start of each fills caches, and isn't counted.
  for (const name of measured) await start(name, count);
  for (let round = 0; round < times; round++) {
    for (const name of inOrder(measured, round)) found.get(name)?.push(await start(name, count));
  }
  return [...found];
}

// A warm agent is one that has been at work: the JavaScript of its first hundred starts isn't compiled yet.
// A cold one is made anew for each measurement, and therefore measured after all that isn't.
for (let hundred = 0; hundred < 3; hundred++) await start(warm, 100);
const others = names.filter((name) => name !== cold);
const many = Math.ceil(rounds / 3);
const one = await measure(others, 1, rounds);
const atOnceTimes = await measure(others, atOnce, many);
const oneCold = await measure([cold], 1, rounds);
const atOnceCold = await measure([cold], atOnce, many);

reportMachine(rounds);
report("One start", new Map([...one, ...oneCold]), base);
report(`${String(atOnce)} starts at once`, new Map([...atOnceTimes, ...atOnceCold]), base);
