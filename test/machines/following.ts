import { textOfFile } from "../source.ts";
import { enrol } from "./enrolment.ts";
import { machine, type Machine, type MachineOptions } from "./machine.ts";
import { until } from "./pool.ts";

const mirror = "/var/lib/sealaunch-mirror";

/** What the source has of the node, as sync has carried it there. */
export interface Reported {
  readonly unit: string;
  readonly bundles: readonly { readonly generation: number }[];
  readonly refusal: { readonly code: string } | null;
}

/** A machine that is the one node of a cluster, with a mirror that sync fills from the checkout beside it. */
export class Following implements AsyncDisposable {
  readonly node: Machine;

  private constructor(node: Machine) {
    this.node = node;
  }

  /** @param secret - the first value of CF_TOKEN, the one credential of the one bundle, dns */
  static async create(
    units: readonly string[],
    secret: string,
    options: MachineOptions = {},
  ): Promise<Following> {
    const node = await machine({
      ...options,
      files: { "/usr/lib/sysusers.d/sealaunch.conf": textOfFile("systemd/sealaunch.sysusers") },
    });
    const following = new Following(node);
    try {
      await enrol(node, { secret, units });
      await node.sh(`
        systemd-sysusers
        test -e /etc/ssh/ssh_host_ed25519_key || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
        sed -i '1s#{#{"mirror": "${mirror}",#' /etc/sealaunch/node.json
        install -d -o sealaunch-sync /srv/cluster/keys/nodes/n1
        chown -R sealaunch-sync: /srv/cluster
        mkdir -p /etc/systemd/system/sealaunch-sync.service.d
        printf '[Service]\\nReadWritePaths=/srv/cluster\\n' >/etc/systemd/system/sealaunch-sync.service.d/own.conf
        systemctl daemon-reload
        systemctl enable --now sealaunch-sync.socket sealaunch-sync.service`);
      await until(() => following.isSynced(), "a first pass");
      return following;
    } catch (error) {
      await node[Symbol.asyncDispose]();
      throw error;
    }
  }

  private async isSynced(): Promise<boolean> {
    return (await this.node.run("sh", ["-c", `grep -qs '"at"' ${mirror}/*`])).status === 0;
  }

  /** Does something as whoever owns the checkout. */
  inCluster(command: string): Promise<string> {
    return this.node.sh(
      `cd /srv/cluster; umask 022; ${command}; chown -R sealaunch-sync: /srv/cluster`,
    );
  }

  seal(value: string): Promise<string> {
    return this.inCluster(
      `printf '%s' '${value}' >/run/token; sealaunch seal dns CF_TOKEN=/run/token; rm /run/token`,
    );
  }

  /** After it, the mirror has all that the source has now, and the agent has looked at it. */
  async synced(): Promise<void> {
    const before = await this.mirroredAt();
    await this.node.sh("sleep 1; systemctl restart sealaunch-sync.service");
    await until(async () => (await this.mirroredAt()) > before, "a pass of sync");
  }

  private async mirroredAt(): Promise<string> {
    const { stdout } = await this.node.run("sealaunch", ["status", "--json"]);
    return (JSON.parse(stdout.toString()) as { mirror: { at: string } }).mirror.at;
  }

  /** After it, the mirror has nothing but what the source has now. */
  async emptyMirror(): Promise<void> {
    await this.node.sh(`
      systemctl stop sealaunch-sync.service
      rm -rf ${mirror}/*
      systemctl start sealaunch-sync.service`);
  }

  async reported(service: string): Promise<Reported | undefined> {
    const { status, stdout } = await this.node.run("sh", [
      "-c",
      "cat /srv/cluster/keys/nodes/*/report.json",
    ]);
    if (status !== 0) return undefined;
    const { services } = JSON.parse(stdout.toString()) as { services: readonly Reported[] };
    return services.find((one) => one.unit === service);
  }

  /** What the journal has of a unit from Sealaunch. */
  told(unit: string): Promise<string> {
    return this.node.ok("journalctl", ["-q", "-o", "cat", `OBJECT_SYSTEMD_UNIT=${unit}`]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node[Symbol.asyncDispose]();
  }
}
