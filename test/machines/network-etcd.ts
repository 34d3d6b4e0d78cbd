import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { EtcdCluster } from "../fixtures/etcd.ts";
import { okOnHost } from "./host.ts";
import type { Machine } from "./machine.ts";
import type { Network } from "./network.ts";

/** What a command begins with to run where the switch of a network is. */
export const enterNetwork = (network: Network): string[] => [
  "nsenter",
  `--net=/proc/${String(network.pid)}/ns/net`,
  "--",
];

/**
 * Three members of etcd with roles, which the machines of a network reach at 10.77.0.201 and the next two.
 *
 * @param issuing - what a command begins with that issues certificates, such as one that sets its clock
 */
export async function startEtcdIn(
  network: Network,
  issuing: readonly string[] = [],
): Promise<EtcdCluster> {
  const enter = enterNetwork(network);
  const [nsenter = "", ...words] = enter;
  const places = ["10.77.0.201", "10.77.0.202", "10.77.0.203"].map((address) => ({
    address,
    enter,
  }));
  for (const { address } of places)
    await okOnHost(nsenter, [...words, "ip", "addr", "add", `${address}/24`, "dev", "br0"]);
  await okOnHost(nsenter, [...words, "ip", "link", "set", "lo", "up"]);
  const etcd = await EtcdCluster.start([], places, enter, issuing);
  etcd.authenticate();
  return etcd;
}

/** After it, `etcd:/etc/sealaunch/USER.json` on the machine is etcd as that user; root's own files. */
export async function layUser(etcd: EtcdCluster, node: Machine, user: string): Promise<void> {
  const { certificate, certificateKey } = etcd.issue(user);
  const files = { trustedCa: etcd.ca, certificate, certificateKey };
  for (const file of Object.values(files))
    await node.write(`/etc/sealaunch/${basename(file)}`, readFileSync(file), 0o600);
  await node.sh("chmod 644 /etc/sealaunch/*.pem");
  const names = Object.entries(files).map(([field, file]) => [field, basename(file)] as const);
  const configuration = { endpoints: etcd.endpoints, deadline: 3, ...Object.fromEntries(names) };
  await node.write(`/etc/sealaunch/${user}.json`, JSON.stringify(configuration));
}

/** After it, the checkout of a machine that was enrolled is in etcd, and the machine follows that as the node n1. */
export async function followEtcd(etcd: EtcdCluster, node: Machine, mirror: string): Promise<void> {
  etcd.script(await node.sh("cd /srv/cluster; sealaunch etcd-roles"));
  for (const user of ["root", "node-n1"]) await layUser(etcd, node, user);
  await node.sh(`
    cd /srv/cluster
    sealaunch copy --from dir:. --to etcd:/etc/sealaunch/root.json --yes
    sed -i '1s#{#{"mirror": "${mirror}",#; s#dir:/srv/cluster#etcd:/etc/sealaunch/node-n1.json#' /etc/sealaunch/node.json
    chgrp sealaunch-sync /etc/sealaunch/node-n1.private
    chmod 640 /etc/sealaunch/node-n1.private
    systemctl enable --now sealaunch-sync.socket sealaunch-sync.service`);
}
