import { textOfFile } from "../source.ts";
import type { Machine } from "./machine.ts";

/** What the package brings besides Sealaunch itself, for machines that are to become nodes. */
export const packageFiles = {
  "/usr/lib/sysusers.d/sealaunch.conf": textOfFile("systemd/sealaunch.sysusers"),
  "/usr/lib/tmpfiles.d/sealaunch.conf": textOfFile("systemd/sealaunch.tmpfiles"),
};

/**
 * After it, a machine lets in root with `key` over ssh, has host keys of its own, and the users and directories
 * of the package. Keys are exchanged in the way that takes the least of a processor.
 *
 * @param key - the public half, as authorized_keys has it
 * @param types - of its host keys
 * @returns its Ed25519 host key, as known_hosts has it after the name
 */
export async function letIn(
  machine: Machine,
  key: string,
  types: readonly string[] = ["ed25519"],
): Promise<string> {
  await machine.write("/root/.ssh/authorized_keys", key, 0o600);
  await machine.sh(`
    rm -f /etc/ssh/ssh_host_*
    for type in ${types.join(" ")}
    do ssh-keygen -q -t $type -N '' -f /etc/ssh/ssh_host_\${type}_key; done
    systemd-sysusers
    systemd-tmpfiles --create sealaunch.conf
    mkdir -p /run/sshd
    /usr/sbin/sshd -o KexAlgorithms=curve25519-sha256`);
  return (await machine.sh("cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub")).trim();
}
