// The same commands in a cluster of 3 nodes and in one of 10,000 nodes, 200 pools and 2,000 bundles: how
// long they take, and what they touch of the source, which strace(1) counts in one more run:
//
//   npm run bench:scale [ROUNDS]        as root: a launch mounts
import { execFileSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  LargeCluster,
  tenThousandNodes,
  threeNodes,
  type Size,
} from "../test/fixtures/large-cluster.ts";
import { TestNode } from "../test/fixtures/node.ts";
import { sealaunchPath } from "../test/fixtures/program.ts";
import { touched } from "../test/fixtures/touched.ts";
import { inOrder, median, reportMachine } from "./measure.ts";

const rounds = Number(process.argv[2] ?? 5);

const operator = "--identity operator.identity";
const manager = "--signer ann --yes";
const newcomer = "--known-hosts known_hosts";
await using node = await TestNode.create();
// In the test node's own store; the shell has gone where the cluster is.
const launch = [
  ...node.enter("$PWD"),
  ...[sealaunchPath, "run", "--in-place", "--config", "n1/node.json", "--bundle", "app/b1"],
  ...["--user", "nobody", "--", `${node.busybox}/bin/sh`, "-c", ":"],
].join(" ");

/** What is measured, one after the other in one cluster: each begins where the one before has ended. */
const steps: readonly (readonly [string, string])[] = [
  ["launch in place", launch],
  ["open, by a member", "sealaunch open app/b1 --identity n1/identity"],
  ["seal", "sealaunch seal app/b1 TOKEN=ann.pub --signer ann"],
  ["verify one bundle", "sealaunch verify app/b1"],
  ["verify all, the first time", "sealaunch verify"],
  ["verify all", "sealaunch verify"],
  ["rotation: the node", "sealaunch identity rotate --config n1/node.json --host-key n1/host_key"],
  [
    "rotation: its manager",
    `sealaunch roster add-node keys/nodes/n1 --pool p1 --replace ${manager}`,
  ],
  ["rotation: the node's pass", "sealaunch rewrap --config n1/node.json"],
  [
    "admission: the manager",
    `sealaunch roster add-node keys/nodes/new --pool p1 ${newcomer} ${manager}`,
  ],
  ["admission: a member's pass", "sealaunch rewrap --config n1/node.json"],
  ["eviction: the new epoch", `sealaunch roster remove-node n1 ${manager}`],
  ["eviction: an operator's pass", `sealaunch rewrap ${operator}`],
  ["eviction: the old epoch's end", `sealaunch roster remove-node n1 ${manager}`],
];

/** A cluster as it was made, and its copy, in which a round goes through the steps. */
interface Place extends Disposable {
  readonly made: LargeCluster;
  readonly copy: string;
}

function prepare(size: Size): Place {
  const made = new LargeCluster(size);
  made.writeCard("new");
  made.writeKnownHosts(["new"]);
  const copy = `${made.directory}-copy`;
  return {
    made,
    copy,
    [Symbol.dispose]: () => {
      made[Symbol.dispose]();
      rmSync(copy, { recursive: true, force: true });
    },
  };
}

/** Goes through all steps in a fresh copy of the cluster. */
function round<T>({ made, copy }: Place, measure: (directory: string, command: string) => T): T[] {
  rmSync(copy, { recursive: true, force: true });
  cpSync(made.directory, copy, { recursive: true });
  made.moveNodeTo(copy);
  return steps.map(([, command]) => measure(copy, command));
}

function timed(directory: string, command: string): number {
  const begin = process.hrtime.bigint();
  execFileSync("sh", ["-c", `exec ${command}`], {
    cwd: directory,
    stdio: "ignore",
    env: {
      PATH: `${dirname(sealaunchPath)}:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOME: "/nonexistent",
      XDG_STATE_HOME: join(directory, "state"),
    },
  });
  return Number(process.hrtime.bigint() - begin) / 1e6;
}

using small = prepare(threeNodes);
using large = prepare(tenThousandNodes);
const places = [small, large];
const times = places.map((): number[][] => []);
for (let number = 0; number < rounds; number++) {
  for (const place of inOrder(places, number)) {
    times[places.indexOf(place)]?.push(round(place, timed));
  }
}
const counts = places.map((place) => round(place, touched));

reportMachine(rounds);
const heads = ["ms", "files and folders", "kB read", "kB written"];
console.log(`\n| | ${heads.flatMap((head) => [head, "large"]).join(" | ")} |`);
console.log(`|---|${"---:|".repeat(heads.length * 2)}`);
for (const [index, [name]] of steps.entries()) {
  const cells = places.map((_, place) => {
    const milliseconds = median((times[place] ?? []).map((all) => all[index] ?? NaN));
    const count = counts[place]?.[index];
    return [
      milliseconds.toFixed(0),
      count?.objects.length,
      ((count?.bytesRead ?? 0) / 1000).toFixed(0),
      ((count?.bytesWritten ?? 0) / 1000).toFixed(0),
    ];
  });
  const [first = [], second = []] = cells;
  const row = first.flatMap((cell, column) => [cell, second[column]]);
  console.log(`| ${name} | ${row.join(" | ")} |`);
}
