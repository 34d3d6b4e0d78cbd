// A start, from the command to the end of a program that has read its secret:
//
//   npm run bench:launch [ROUNDS]        as root
import { execFileSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TestCluster } from "../test/fixtures/cluster.ts";
import { TestNode } from "../test/fixtures/node.ts";
import { sealaunchPath } from "../test/fixtures/program.ts";
import { interleave, report, reportMachine, type Variant } from "./measure.ts";

const rounds = Number(process.argv[2] ?? 20);
await using node = await TestNode.create();
await using cluster = await TestCluster.create();
await node.join(cluster);

// What somebody would write by hand: nix-store, age, setpriv. Debian's age has classical keys.
const identity = join(node.directory, "age-identity");
execFileSync("age-keygen", ["-o", identity], { stdio: "ignore" });
const recipient = execFileSync("age-keygen", ["-y", identity], { encoding: "utf8" }).trim();
const sealed = join(node.directory, "secret.age");
execFileSync("age", ["-r", recipient, "-o", sealed], { input: "canary" });
const pipeline = join(node.directory, "pipeline");
writeFileSync(
  pipeline,
  `#!/bin/sh
set -e
mount -t tmpfs -o noswap,mode=0700 tmpfs /run/sealaunch
nix-store -r "$1" --add-root "$2" >/dev/null
age -d -i ${identity} ${sealed} >/run/sealaunch/CF_TOKEN
chown 65534:65534 /run/sealaunch /run/sealaunch/CF_TOKEN
CREDENTIALS_DIRECTORY=/run/sealaunch; export CREDENTIALS_DIRECTORY
shift 2
exec setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"
`,
);
chmodSync(pipeline, 0o755);

const inNode = (...command: string[]): string[] => [...node.enter(), ...command];
const shell = `${node.busybox}/bin/sh`;
const reading = [shell, "-c", 'cat "$CREDENTIALS_DIRECTORY/CF_TOKEN"'];
const variants: Variant[] = [
  { name: "bare exec", command: inNode(shell, "-c", "cat /etc/hostname") },
  { name: "node -e 0", command: inNode(process.execPath, "-e", "0") },
  {
    name: "nix-store, age, setpriv",
    command: inNode(
      "unshare",
      "--mount",
      pipeline,
      node.busybox,
      join(node.directory, "root"),
      ...reading,
    ),
  },
  {
    name: "run --in-place",
    command: inNode(
      ...[sealaunchPath, "run", "--in-place", "--config", node.configuration],
      ...["--bundle", "dns", "--user", "nobody", "--", ...reading],
    ),
  },
];

reportMachine(rounds);
report(
  "One start; the closure is there, the caches are warm",
  interleave(variants, rounds),
  "nix-store, age, setpriv",
);
