import { join } from "node:path";
import { okOnHost } from "./host.ts";

/** After it, `directory` is what `/nix` is in a new machine: a store with the demo's service in it. */
export async function firstStore(directory: string): Promise<void> {
  const demo = join(import.meta.dirname, "../../nix/demo-service.nix");
  // In a mount namespace in which the directory is /nix.
  const script = `
    mkdir -p /nix /etc/nix "$1"
    mount --bind "$1" /nix
    mount -t tmpfs tmpfs /etc/nix
    printf 'build-users-group =\\nsandbox = false\\nsubstituters =\\n' >/etc/nix/nix.conf
    nix-build --quiet --no-out-link "$2" --argstr busybox /bin/busybox`;
  await okOnHost("unshare", ["--mount", "sh", "-euc", script, "sh", directory, demo]);
}
