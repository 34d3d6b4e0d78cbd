import { enrol } from "./enrolment.ts";
import { machine, Network, type Machine, type MachineOptions } from "./machine.ts";
import { letIn, packageFiles } from "./reachable.ts";

/** What `deploy` ended with. */
export interface Outcome {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** By node, what came of it there. */
  readonly states: Readonly<Record<string, string>>;
}

/**
 * A laptop with a cluster's checkout, in /srv/cluster, and nodes that it reaches over ssh. The laptop is a node
 * too, n1, and no ssh daemon runs there: the node that isn't reached.
 */
export class Deploying implements AsyncDisposable {
  readonly network: Network;
  readonly laptop: Machine;
  readonly nodes: readonly Machine[];

  private constructor(network: Network, laptop: Machine, nodes: readonly Machine[]) {
    this.network = network;
    this.laptop = laptop;
    this.nodes = nodes;
  }

  /** @param names - of the nodes */
  static async create(names: readonly string[] = ["n7", "n8"]): Promise<Deploying> {
    const network = await Network.create();
    const options: MachineOptions = { network, files: packageFiles };
    const [laptop, ...nodes] = (await Promise.all(
      ["laptop", ...names].map((name) => machine({ ...options, name })),
    )) as [Machine, ...Machine[]];
    await enrol(laptop, { secret: "correct horse", units: ["dns.service"] });
    const key = await laptop.sh("cat /root/.ssh/id_ed25519.pub");
    for (const node of nodes) {
      const host = await letIn(node, key);
      await laptop.sh(`
        cd /srv/cluster
        echo '${node.address} ${host}' >>/root/.ssh/known_hosts
        sealaunch roster add-node --ssh root@${node.address} --pool web --yes \\
          --identity /etc/credstore.encrypted/sealaunch-identity`);
    }
    // Only the signed cards say who they are.
    const hosts = Object.fromEntries(nodes.map(({ name, address }) => [name, `root@${address}`]));
    await laptop.sh(`
      rm /root/.ssh/known_hosts
      sed -i '1s#{#{"hosts": ${JSON.stringify(hosts)},#' /srv/cluster/sealaunch.json`);
    return new Deploying(network, laptop, nodes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of [this.laptop, ...this.nodes, this.network]) await one[Symbol.asyncDispose]();
  }

  /** What deploying a service file ends with. */
  async deploy(fields: Readonly<Record<string, unknown>>, options = ""): Promise<Outcome> {
    const service = {
      ...{ version: 1, name: "dns", bundles: ["dns"], runtimeDirectories: ["dns"] },
      ...fields,
    };
    await this.laptop.write("/srv/cluster/dns.json", JSON.stringify(service));
    const command = `cd /srv/cluster; exec sealaunch deploy dns.json --json --settle 2 ${options}`;
    const ended = await this.laptop.run("sh", ["-euc", command]);
    const stdout = ended.stdout.toString();
    const { nodes: told } = JSON.parse(stdout || `{"nodes":[]}`) as {
      nodes: { readonly node: string; readonly state: string }[];
    };
    return {
      exit: ended.status,
      stdout,
      stderr: ended.stderr,
      states: Object.fromEntries(told.map(({ node, state }) => [node, state])),
    };
  }

  /** What the service has written on each node. */
  says(): Promise<string[]> {
    return Promise.all(this.nodes.map((node) => node.sh("cat /run/dns/says 2>/dev/null || true")));
  }

  /** The service's process on each node. */
  pids(): Promise<string[]> {
    return Promise.all(this.nodes.map((node) => node.show("dns.service", "MainPID")));
  }
}
