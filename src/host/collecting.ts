import { Failure } from "../failure.ts";
import { programPath, run } from "./process.ts";

// What a machine has in its store, and what runs of it, as one script of POSIX sh: the same for this
// machine and for one that has nothing of ours and is reached by ssh. It writes nothing and starts no
// collection: `nix-store --gc --print-roots` removes links, so the roots are read where they lie.

/**
 * Prints one section after the other, each between `== NAME` and `== end`; what isn't to be had there is
 * named in a line `== missing NAME`. Of the store only what `nix-store --dump-db` says, raw.
 */
export const collectingScript = `LC_ALL=C
PATH=\${PATH:+$PATH:}/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
begin() { printf '== %s\\n' "$1"; }
end() { echo '== end'; }
missing() { printf '== missing %s\\n' "$1"; }
begin process; echo $$; end

begin groups; grep -s : /dev/null /proc/[0-9]*/cgroup; end
begin names; grep -s . /dev/null /proc/[0-9]*/comm; end
begin files
find /proc/[0-9]*/exe /proc/[0-9]*/cwd /proc/[0-9]*/fd -type l -exec ls -l {} + 2>/dev/null |
  sed -n 's|^.* /proc/\\([0-9]*\\)/[a-z]*[/0-9]* -> \\(/nix/store/.*\\)$|\\1 \\2|p' | sort -u
grep -s /nix/store/ /dev/null /proc/[0-9]*/maps |
  sed -n 's|^/proc/\\([0-9]*\\)/maps:[^/]*\\(/nix/store/.*\\)$|\\1 \\2|p' | sort -u
end
# Others' processes show what they have open to root alone.
ls -l /proc/[0-9]*/exe 2>&1 >/dev/null | grep -q denied && missing processes

shown=$(systemctl show --no-pager -p Id -p ActiveState -p FragmentPath -p DropInPaths -p ExecCondition \\
  -p ExecStartPre -p ExecStart -p ExecStartPost -p ExecReload -p ExecStop -p ExecStopPost '*.service' 2>/dev/null) ||
  missing units
begin units; printf '%s\\n' "$shown"; end
set -f
files=$(printf '%s\\n' "$shown" | sed -n 's/^FragmentPath=//p; s/^DropInPaths=//p' | tr ' ' '\\n' | sort -u)
begin unit-links
for file in $files; do
  target=$(readlink -f "$file") && [ "$target" != "$file" ] && printf '%s %s\\n' "$file" "$target"
done
end
begin owners
# shellcheck disable=SC2086 # paths of unit files have no blanks, and this is many of them
[ -z "$files" ] || grep -s '^X-Owner=.' /dev/null $files
end
set +f
begin decisions; cat /run/sealaunch/decisions/*.json 2>/dev/null; end

begin roots
links=$(find /nix/var/nix/gcroots/ /nix/var/nix/profiles/ -type l -exec ls -l {} + 2>/dev/null)
printf '%s\\n' "$links"
printf '%s\\n' "$links" | sed -n 's|^.* -> \\(/.*\\)$|\\1|p' | grep -v '^/nix/store/' | sort -u |
  while IFS= read -r link; do [ -L "$link" ] && ls -ld "$link"; done
end
[ -r /nix/var/nix/gcroots ] || missing roots

command -v nix-store >/dev/null || { echo 'it has no Nix: there is no nix-store on its PATH' >&2; exit 69; }
begin store
if [ -S /nix/var/nix/daemon-socket/socket ] && NIX_REMOTE=daemon nix-store --dump-db 2>/dev/null; then
  end
elif nix-store --dump-db; then
  end
else
  exit 69
fi
`;

const takesMs = 120_000;

/**
 * What {@link collectingScript} prints on this machine. As root it sees all processes.
 *
 * @throws Failure `inventory/unavailable` if Nix doesn't say what the store has
 */
export async function collectHere(): Promise<Uint8Array> {
  const { exitCode, timedOut, stdout, stderr } = await run("/bin/sh", ["-s"], {
    input: new TextEncoder().encode(collectingScript),
    environment: { PATH: programPath },
    timeoutMs: takesMs,
  });
  if (exitCode === 0) return stdout;
  const said = stderr.trim().split("\n").at(-1) ?? "";
  throw new Failure(
    "inventory/unavailable",
    timedOut
      ? `this machine's store wasn't read within ${String(takesMs / 1000)} s`
      : `nix-store --dump-db doesn't say what this machine's store has: ${said}`,
  );
}
