// Whether a launch notices how large its cluster is: the same launch in a cluster of 3 nodes, in another of
// 3 nodes, which shows the noise, and in one of 10,000 nodes, 200 pools and 2,000 bundles:
//
//   npm run bench:scale-launch [ROUNDS]        as root: a launch mounts
import { LargeCluster, tenThousandNodes, threeNodes } from "../test/fixtures/large-cluster.ts";
import { TestNode } from "../test/fixtures/node.ts";
import { sealaunchPath } from "../test/fixtures/program.ts";
import { interleave, report, reportMachine, type Variant } from "./measure.ts";

const rounds = Number(process.argv[2] ?? 60);
await using node = await TestNode.create();
using three = new LargeCluster(threeNodes);
using another = new LargeCluster(threeNodes);
using large = new LargeCluster(tenThousandNodes);

const launchIn = (name: string, { directory }: LargeCluster): Variant => ({
  name,
  cwd: directory,
  command: [
    ...node.enter(directory),
    ...[sealaunchPath, "run", "--in-place", "--config", "n1/node.json", "--bundle", "app/b1"],
    ...["--user", "nobody", "--", `${node.busybox}/bin/sh`, "-c", ":"],
  ],
});
const base = "3 nodes";
const variants = [
  launchIn(base, three),
  launchIn("3 nodes, another cluster", another),
  launchIn("10,000 nodes", large),
];
const timings = interleave(variants, rounds);
reportMachine(rounds);
report("A launch in place", timings, base);
