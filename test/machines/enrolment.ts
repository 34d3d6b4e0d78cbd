import type { Machine } from "./machine.ts";

/** What a machine joins a cluster of its own with. */
export interface Enrolment {
  /** The value of the one credential, CF_TOKEN, of the one bundle, dns. */
  readonly secret: string;
  /** Who may ask for it. */
  readonly units: readonly string[];
  /** Further words of `identity create`. */
  readonly identity?: readonly string[];
}

/** After it, the machine is the node `n1` of a cluster in its /srv/cluster, by the commands of the README. */
export async function enrol(node: Machine, enrolment: Enrolment): Promise<void> {
  const units = enrolment.units.map((unit) => `--unit ${unit}`).join(" ");
  await node.write("/run/token", enrolment.secret, 0o600);
  await node.sh(`
    mkdir -p /srv/cluster /root/.ssh
    cd /srv/cluster
    ssh-keygen -q -t ed25519 -N '' -C ann -f /root/.ssh/id_ed25519
    rm -f /etc/ssh/ssh_host_ed25519_key*
    ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
    git config --global user.signingkey /root/.ssh/id_ed25519.pub
    sealaunch identity create operator.identity
    sealaunch init --operator operator.identity --yes
    sealaunch roster add-pool web --yes
    sealaunch identity create --into /etc/sealaunch --node n1 ${enrolment.identity?.join(" ") ?? ""}
    echo "n1 $(cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub)" >known_hosts
    sealaunch roster add-node /etc/sealaunch --pool web --known-hosts known_hosts --yes
    sealaunch roster add-signer ann /root/.ssh/id_ed25519.pub --name dns --yes
    sealaunch seal dns CF_TOKEN=/run/token --pool web ${units}
    rm /run/token operator.identity`);
}
