import type { Machine } from "./machine.ts";

/**
 * After it, a machine's store has a service that says its first argument and its token in /run/dns/says, and
 * stays; or ends with 3 if that argument is `crash`.
 *
 * @returns the program
 */
export async function addDnsProgram(machine: Machine): Promise<string> {
  await machine.write(
    "/run/built/bin/service",
    `#!/bin/sh
[ "$1" != crash ] || exit 3
echo "$1 $(cat $CREDENTIALS_DIRECTORY/CF_TOKEN)" >/run/dns/says
exec sleep 1000
`,
    0o755,
  );
  return `${(await machine.sh("nix-store --add /run/built")).trim()}/bin/service`;
}
