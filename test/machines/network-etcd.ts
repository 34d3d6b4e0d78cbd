import { EtcdCluster } from "../fixtures/etcd.ts";
import { okOnHost } from "./host.ts";
import type { Network } from "./network.ts";

/** What a command begins with to run where the switch of a network is. */
export const enterNetwork = (network: Network): string[] => [
  "nsenter",
  `--net=/proc/${String(network.pid)}/ns/net`,
  "--",
];

/** Three members of etcd with roles, which the machines of a network reach at 10.77.0.201 and the next two. */
export async function startEtcdIn(network: Network): Promise<EtcdCluster> {
  const enter = enterNetwork(network);
  const [nsenter = "", ...words] = enter;
  const places = ["10.77.0.201", "10.77.0.202", "10.77.0.203"].map((address) => ({
    address,
    enter,
  }));
  for (const { address } of places)
    await okOnHost(nsenter, [...words, "ip", "addr", "add", `${address}/24`, "dev", "br0"]);
  await okOnHost(nsenter, [...words, "ip", "link", "set", "lo", "up"]);
  const etcd = await EtcdCluster.start([], places, enter);
  etcd.authenticate();
  return etcd;
}
