import { rmSync } from "node:fs";
import { cp, mkdtemp, rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { okOnHost } from "./host.ts";

let built: Promise<string> | undefined;

/** After it, `directory` is what `/nix` is in a new machine: a store with the demo's service in it. */
export async function firstStore(directory: string): Promise<void> {
  built ??= build();
  await cp(await built, directory, { recursive: true, verbatimSymlinks: true, mode: 0 });
}

/** Builds it once for each process, in a mount namespace in which it is `/nix`. */
async function build(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "sealaunch-store-"));
  process.once("exit", () => {
    rmSync(directory, { recursive: true, force: true });
  });
  const demo = join(import.meta.dirname, "../../nix/demo-service.nix");
  const script = `
    mount --bind "$1/nix" /nix
    mount --bind "$1/etc" /etc/nix
    printf 'build-users-group =\\nsandbox = false\\nsubstituters =\\n' >/etc/nix/nix.conf
    nix-build --quiet --no-out-link "$2" --argstr busybox /bin/busybox`;
  await okOnHost("mkdir", ["-p", "/nix", "/etc/nix", `${directory}/nix`, `${directory}/etc`]);
  await okOnHost("unshare", ["--mount", "sh", "-euc", script, "sh", directory, demo]);
  await rename(join(directory, "nix"), join(directory, "store"));
  return join(directory, "store");
}
