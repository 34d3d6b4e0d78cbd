import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EtcdCluster } from "../fixtures/etcd.ts";
import { count } from "../soak.ts";
import { textOfFile } from "../source.ts";
import { enrol } from "./enrolment.ts";
import { startEtcdIn, followEtcd } from "./network-etcd.ts";
import { machine, Network, type Machine } from "./machine.ts";
import { until } from "./pool.ts";

const mirror = "/var/lib/sealaunch-mirror";
const agentSocket = "/run/sealaunch/agent.sock";
const wrapper = "/opt/sealaunch/wrapper/bin/sealaunch";
const [sync, agent] = ["sealaunch-sync.service", "sealaunch-agent.service"] as const;

// A node that follows an etcd in which somebody who may write anything has put what he likes.
let network: Network;
let etcd: EtcdCluster;
let node: Machine;
beforeAll(async () => {
  network = await Network.create();
  etcd = await startEtcdIn(network);
  const files = { "/usr/lib/sysusers.d/sealaunch.conf": textOfFile("systemd/sealaunch.sysusers") };
  node = await machine({ network, files });
  await enrol(node, { secret: "first value", units: ["a1.service"] });
  await node.sh("systemd-sysusers");
  await followEtcd(etcd, node, mirror);
  await node.unit(
    "a1.service",
    `[Service]
Type=oneshot
TimeoutStartSec=20
LoadCredential=CF_TOKEN:${agentSocket}
LoadCredential=sealaunch:${agentSocket}
ExecStart=${wrapper} run --bundle dns -- /bin/sh -c 'exec cat $\${CREDENTIALS_DIRECTORY}/CF_TOKEN >/run/got'
`,
  );
  await until(async () => (await passedAt()) !== "", "a first pass");
  await start();
});
afterAll(async () => {
  for (const one of [node, etcd, network]) await one[Symbol.asyncDispose]();
});

/** When sync has last read its source; "" if it never has. */
const passedAt = async (): Promise<string> => {
  const { stdout } = await node.run("sh", ["-c", `grep -hs '"at"' ${mirror}/*`]);
  return stdout.toString();
};

/** A start of the service, which has got what was sealed. */
async function start(): Promise<void> {
  await node.sh("rm -f /run/got; systemctl start a1.service");
  expect(await node.sh("cat /run/got")).toBe("first value");
}

/** The most memory that a service's process ever had, in MiB (proc(5), VmHWM). */
async function peak(unit: string): Promise<number> {
  const pid = await node.show(unit, "MainPID");
  return Number(await node.sh(`awk '/^VmHWM:/ { print $2 }' /proc/${pid}/status`)) / 1024;
}

/** After it, everything below a key is that value, or what each of so many keys gets. */
function put(script: string): void {
  etcd.script(`
    junk() { head -c 1400000 /dev/zero | tr '\\0' "$1"; }
    deep() { printf '{"type":"statement","version":1,"units":'; junk '['; }
    ${script}`);
}

/** After it, sync has begun anew and ended a pass, whole or with what it says of it. */
async function pass(): Promise<void> {
  const before = await passedAt();
  const [seconds = ""] = (await node.sh("sleep 1; date +%s")).split("\n");
  await node.ok("systemctl", ["restart", sync]);
  const said = `journalctl -q --no-pager -o cat -u ${sync} --since @${seconds}`;
  await until(
    async () =>
      (await passedAt()) !== before ||
      /^warning: /mu.test(await node.sh(`journalctl --sync; ${said}`)),
    "a pass of sync",
  );
}

const keys = count(100_000);

describe("whoever follows an etcd with hostile values in it", () => {
  it.each<[string, string]>([
    [
      "objects of more than a megabyte, under the next numbers and in the place of what is there",
      `for key in roster/2 roster/99 pools/web/2 pools/web/77 bundles/dns/0.2 bundles/dns/0.55; do
         for file in roster.json pool.json members.json statement.json signatures/x.sig; do
           junk x | etcdctl put "/sealaunch/$key/$file" >/dev/null
         done
       done
       for key in $(etcdctl get --prefix --keys-only /sealaunch/ | grep -E '/(entries|headers|nodes)/|/values/'); do
         junk y | etcdctl put "$key" >/dev/null
       done`,
    ],
    [
      "JSON that is a million levels deep",
      `for key in roster/3 pools/web/3 bundles/dns/0.3; do
         for file in roster.json pool.json members.json statement.json; do
           deep | etcdctl put "/sealaunch/$key/$file" >/dev/null
         done
       done`,
    ],
    [
      "numbers and sizes that aren't so",
      `for key in roster/9007199254740993 pools/web/281474976710656 bundles/dns/0.281474976710656 bundles/dns/-1.0; do
         for file in roster.json pool.json statement.json; do
           printf '{"type":"roster","version":1,"generation":1e308,"size":9007199254740993}' |
             etcdctl put "/sealaunch/$key/$file" >/dev/null
         done
       done`,
    ],
    [
      "names of kilobytes where a node's are",
      `pad=$(head -c 3000 /dev/zero | tr '\\0' p)
       seq 16000 | awk -v pad="$pad" '{ printf "put /sealaunch/entries/web/1/%s%d y\\n", pad, $1 }' | split -l 100 - part-
       for part in part-*; do
         { echo; cat "$part"; echo; echo; } | etcdctl txn >/dev/null
       done
       rm part-*`,
    ],
    [
      `${String(keys)} keys where few are`,
      `for folder in bundles/dns roster headers/web/1/dns entries/web/1; do
         seq ${String(keys / 4)} | awk -v folder="$folder" '{ printf "put /sealaunch/%s/0.%d/x y\\n", folder, 1000 + $1; if (NR % 100 == 0) print "\\n" }' >txn
         split -l 101 txn part-
         for part in part-*; do
           { echo; grep . "$part"; echo; echo; } | etcdctl txn >/dev/null
         done
         rm txn part-*
       done`,
    ],
  ])("stays within its memory and its time, and starts services: %s", async (_, script) => {
    const agentBefore = await node.show(agent, "MainPID");
    put(`cd "$(mktemp -d)"; ${script}`);
    await pass();
    await start();
    // Its MemoryMax= is 384 MiB. With all keys they had 129 and 86 MiB at most.
    expect(await peak(sync)).toBeLessThan(256);
    expect(await peak(agent)).toBeLessThan(192);
    expect(await node.show(sync, "NRestarts")).toBe("0");
    expect(await node.show(agent, "MainPID")).toBe(agentBefore);
  });
});
