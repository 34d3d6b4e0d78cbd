import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import type { EtcdCluster } from "../fixtures/etcd.ts";
import type { Ended } from "../fixtures/program.ts";
import { machine, Network, type Machine, type MachineOptions } from "./machine.ts";
import { enterNetwork, startEtcdIn } from "./network-etcd.ts";
import { letIn, packageFiles } from "./reachable.ts";

const example = "/opt/sealaunch/examples";
const repository = "/srv/cluster";
const cacheConfiguration = `user root;
pid /run/cache.pid;
events {}
http {
  client_max_body_size 0;
  server { listen 80; root /srv/cache; dav_methods PUT; create_full_put_path on; }
}
`;

/**
 * The machines of the example of DNS records, as its page finds them: a laptop with the people ops and ann, a
 * name server that has a binary cache too, three machines that anybody with root's key reaches by ssh, of which
 * n3 is in another pool, and an etcd.
 */
export class DnsPool implements AsyncDisposable {
  private readonly disposables: AsyncDisposableStack;
  readonly etcd: EtcdCluster;
  readonly laptop: Machine;
  readonly ns1: Machine;
  private readonly nodes: readonly Machine[];
  private readonly enter: readonly string[];

  private constructor(
    disposables: AsyncDisposableStack,
    etcd: EtcdCluster,
    [laptop, ns1, ...nodes]: readonly Machine[],
    enter: readonly string[],
  ) {
    if (laptop === undefined || ns1 === undefined) throw new Error("there are two at least");
    this.disposables = disposables;
    this.etcd = etcd;
    this.laptop = laptop;
    this.ns1 = ns1;
    this.nodes = nodes;
    this.enter = enter;
  }

  static async create(): Promise<DnsPool> {
    await using made = new AsyncDisposableStack();
    const network = made.use(await Network.create());
    const etcd = made.use(await startEtcdIn(network));
    const options: MachineOptions = { network, files: packageFiles };
    const machines: Machine[] = [];
    for (const name of ["laptop", "ns1", "n1", "n2", "n3"])
      machines.push(made.use(await machine({ ...options, name })));
    const pool = new DnsPool(made.move(), etcd, machines, enterNetwork(network));
    try {
      await pool.prepare();
      return pool;
    } catch (error) {
      await pool[Symbol.asyncDispose]();
      throw error;
    }
  }

  private async prepare(): Promise<void> {
    const { laptop, ns1, nodes } = this;
    await laptop.sh(`
      mkdir -p /root/.ssh ${repository}
      ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
      for person in ops ann; do
        mkdir -p /home/$person/.ssh
        ssh-keygen -q -t ed25519 -N '' -C $person -f /home/$person/.ssh/id_ed25519
        printf '[user]\\n\\tsigningkey = ~/.ssh/id_ed25519.pub\\n' >/home/$person/.gitconfig
      done
      cp /home/ann/.ssh/id_ed25519.pub ${repository}/ann.pub
      cp -r ${example}/dns-records ${repository}/
      ln -sf /opt/sealaunch/node_modules/node-linux-*/bin/node /usr/bin/node`);
    const key = await laptop.sh("cat /root/.ssh/id_ed25519.pub");
    const all = [ns1, ...nodes];
    const hosts = all.map(({ name, address }) => `${address} ${name}\n`).join("");
    for (const one of all) {
      const host = await letIn(one, key);
      await laptop.sh(`echo '${one.name} ${host}' >>/root/.ssh/known_hosts`);
    }
    for (const one of [laptop, ...all])
      await one.sh(`printf '${hosts}${ns1.address} cache\\n' >>/etc/hosts`);
    await ns1.write("/run/cache.conf", cacheConfiguration);
    await ns1.sh(`
      rm /etc/systemd/system/named.service
      systemctl daemon-reload
      mkdir -p /srv/cache
      /usr/sbin/nginx -c /run/cache.conf >/dev/null 2>&1`);
    await this.layForAnn();
  }

  private async layForAnn(): Promise<void> {
    const { certificate, certificateKey } = this.etcd.issue("dns-records");
    const pem = `${readFileSync(certificate, "utf8")}${readFileSync(certificateKey, "utf8")}`;
    await this.laptop.write(`${repository}/etcd.pem`, pem, 0o600);
    // The host's files are there in every machine.
    rmSync(certificateKey);
    await this.laptop.write(`${repository}/dns-records/etcd-ca.pem`, readFileSync(this.etcd.ca));
    const where = `s#https://etcd1[^"]*#${this.etcd.endpoints.join(",")}#`;
    await this.laptop.sh(`sed -i '${where}' ${repository}/dns-records/dns-records.json`);
  }

  /** Types a command of the page as whoever its prompt says. */
  run(who: string, command: string): Promise<Ended> {
    const [person] = ["ops", "ann"].filter((one) => one === who);
    if (who === "etcd") return Promise.resolve(this.asEtcd(command));
    if (who === "" || person !== undefined) {
      const home = person === undefined ? "/root" : `/home/${person}`;
      const script = `cd ${repository}; ${command}`;
      return this.laptop.run("env", [`HOME=${home}`, "sh", "-uc", script]);
    }
    return this.machine(who).run("sh", ["-uc", `cd ${example}; ${command}`]);
  }

  /** The name server, or a node. */
  machine(name: string): Machine {
    const found = [this.ns1, ...this.nodes].find((one) => one.name === name);
    if (found === undefined) throw new Error(`there is no ${name}`);
    return found;
  }

  private asEtcd(command: string): Ended {
    const { certificate, certificateKey } = this.etcd.issue("root");
    const [program, ...words] = [...this.enter, "sh", "-uc", command];
    const stdout = execFileSync(program, words, {
      env: {
        PATH: process.env["PATH"],
        ETCDCTL_ENDPOINTS: this.etcd.endpoints.join(","),
        ETCDCTL_CACERT: this.etcd.ca,
        ETCDCTL_CERT: certificate,
        ETCDCTL_KEY: certificateKey,
      },
    });
    return { status: 0, stdout, stderr: "" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disposables[Symbol.asyncDispose]();
  }
}
