import { enrol } from "./enrolment.ts";
import { machine, Network, type Machine } from "./machine.ts";
import { until } from "./pool.ts";
import { addService } from "./services.ts";

/** Two nodes, and fencing for none of them: for tests alone, since a real cluster has to fence. */
const corosync = (nodes: readonly Machine[]): string => `totem {
  version: 2
  cluster_name: test
  transport: knet
  crypto_cipher: none
  crypto_hash: none
}
logging {
  to_syslog: yes
  to_logfile: no
}
quorum {
  provider: corosync_votequorum
  two_node: 1
}
system {
  sched_rr: no
}
nodelist {
${nodes
  .map(
    ({ name, address }, index) =>
      `  node {\n    ring0_addr: ${address}\n    name: ${name}\n    nodeid: ${String(index + 1)}\n  }\n`,
  )
  .join("")}}
`;

/**
 * A cluster of Pacemaker's with the nodes n1 and n2, of which n1 alone is in the pool of Sealaunch's, and
 * a binary cache on a third machine. What it places is in neither node's store.
 */
export class PacemakerPool implements AsyncDisposable {
  private readonly disposables = new AsyncDisposableStack();
  readonly n1: Machine;
  readonly n2: Machine;
  /** The store path of the service, which is in the cache alone. */
  readonly storePath: string;

  private constructor(n1: Machine, n2: Machine, storePath: string) {
    this.n1 = n1;
    this.n2 = n2;
    this.storePath = storePath;
  }

  /**
   * @param name - of the service's store path, which has one program: `bin/NAME`
   * @param script - that program
   */
  static async create(name: string, script: string): Promise<PacemakerPool> {
    const made = new AsyncDisposableStack();
    try {
      const network = made.use(await Network.create());
      const cache = made.use(await machine({ name: "cache", network }));
      const storePath = await addService(cache, name, { scripts: { [name]: script } });
      const key = await fillCache(cache, storePath);
      const nix = [
        "sandbox = false",
        "build-users-group =",
        `substituters = http://${cache.address}/`,
        `trusted-public-keys = ${key}`,
      ].join("\n");
      const files = { "/etc/nix/nix.conf": `${nix}\n` };
      const n1 = made.use(await machine({ name: "n1", network, files, hasDisk: true }));
      const n2 = made.use(await machine({ name: "n2", network, files }));
      const pool = new PacemakerPool(n1, n2, storePath);
      await enrol(n1, { secret: "the token", units: ["dns.service"] });
      await pool.carry();
      await n2.sh(`
        mkdir -p /root/.ssh
        rm -f /etc/ssh/ssh_host_ed25519_key*
        ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
        cd /srv/cluster
        sealaunch identity create --into /etc/sealaunch --node n2`);
      await beginPacemaker([n1, n2]);
      pool.disposables.use(made.move());
      return pool;
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** After it, n2 has the sealed objects as n1 has them. */
  async carry(): Promise<void> {
    const tree = await this.n1.run("tar", ["-C", "/srv", "-c", "cluster"]);
    await this.n2.sh("mkdir -p /srv");
    await this.n2.ok("tar", ["-C", "/srv", "--no-same-owner", "-x"], tree.stdout);
  }

  /** After it, n2 is a member of the pool, as ops make it one. */
  async admit(): Promise<void> {
    const key = await this.n2.sh("cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub");
    for (const name of ["card.json", "card.json.sig"]) {
      await this.n1.write(`/run/n2/${name}`, await this.n2.sh(`cat /etc/sealaunch/${name}`));
    }
    await this.n1.sh(`
      cd /srv/cluster
      echo "n2 ${key.trim()}" >>known_hosts
      sealaunch roster add-node /run/n2 --pool web --known-hosts known_hosts --yes
      sealaunch rewrap`);
    await this.carry();
  }

  /** What Pacemaker says that it is, as XML. */
  state(from: Machine): Promise<string> {
    return pacemakerState(from);
  }

  /** The nodes on which the service runs, in alphabetical order; "" if on none. */
  async place(from: Machine): Promise<string> {
    const state = await pacemakerState(from);
    const resources = [
      ...state.matchAll(/<resource id="dns"(?<of>[^>]*)>(?<on>.*?)<\/resource>/gsu),
    ];
    return resources
      .filter(({ groups }) => (groups?.["of"] ?? "").includes('role="Started"'))
      .flatMap(({ groups }) => [...(groups?.["on"] ?? "").matchAll(/<node name="(\w+)"/gu)])
      .map(([, name]) => name)
      .sort()
      .join(" ");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disposables[Symbol.asyncDispose]();
  }
}

/** What Pacemaker says that it is, as XML. */
async function pacemakerState(from: Machine): Promise<string> {
  return (await from.run("crm_mon", ["--one-shot", "--output-as=xml"])).stdout.toString();
}

/** After it, two machines are a cluster of Pacemaker's, in which nothing runs yet. */
export async function beginPacemaker(nodes: readonly [Machine, Machine]): Promise<void> {
  for (const node of nodes) {
    await node.write("/etc/corosync/corosync.conf", corosync(nodes));
    await node.sh(`
      rm /etc/systemd/system/corosync.service /etc/systemd/system/pacemaker.service
      systemctl daemon-reload
      systemctl start corosync pacemaker`);
  }
  const [first] = nodes;
  await until(
    async () => (await pacemakerState(first)).match(/<node [^>]* online="true"/gu)?.length === 2,
    "both nodes are in the cluster",
  );
  await first.sh("crm_attribute --type crm_config --name stonith-enabled --update false 2>&1");
}

/** After it, a binary cache on a machine has that path, signed. @returns the key that it is known by */
async function fillCache(cache: Machine, path: string): Promise<string> {
  await cache.write(
    "/run/cache.conf",
    "user root;\npid /run/cache.pid;\nevents {}\nhttp { server { listen 80; root /srv/cache; } }\n",
  );
  const target = "file:///srv/cache?secret-key=/run/cache.secret&compression=none";
  await cache.sh(`
    nix-store --generate-binary-cache-key cache-1 /run/cache.secret /run/cache.public
    nix --extra-experimental-features nix-command copy --to '${target}' '${path}'
    /usr/sbin/nginx -c /run/cache.conf >/dev/null 2>&1`);
  return (await cache.sh("cat /run/cache.public")).trim();
}
