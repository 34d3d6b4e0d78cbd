import { foundCard, type FoundCard } from "../../cluster/cards.ts";
import { requireRepository } from "../../cluster/configuration.ts";
import { decodeBase64 } from "../../crypto/base64.ts";
import { textOf, utf8 } from "../../crypto/bytes.ts";
import { Failure } from "../../failure.ts";
import {
  decodeNodeConfiguration,
  type RepositoryConfiguration,
} from "../../formats/configuration.ts";
import { fingerprint } from "../../formats/sshsig/public-key.ts";
import { keysKnownToSsh, onlyKnown, runOverSsh } from "../../host/ssh/remote.ts";
import type { Context } from "../context.ts";
import { openWithMarks } from "../repository.ts";
import { enrolAndAdmit, type CheckCard, type EnrolOptions } from "./enrolling.ts";
import { throwFirst } from "../sync/elsewhere.ts";
import { fillMirror } from "../sync/ssh.ts";

/** A node that was asked for its card. */
interface Met {
  readonly host: string;
  readonly card: FoundCard;
}

/**
 * Nodes in a pool, met over ssh: each has an identity afterwards, its card is here, a manager has signed for
 * it, and its mirror has what it needs. Its host key is the one by which ssh knows the host.
 *
 * @param hosts - as ssh(1) takes them; root there
 * @throws Failure `ssh/failed`, `node/unverified`, `cluster/mismatch`, all that `enrolAndAdmit` and `fillMirror`
 *   refuse
 */
export async function addNodeOverSsh(
  context: Context,
  hosts: readonly string[],
  options: EnrolOptions,
): Promise<void> {
  const repository = await requireRepository(context.directory, context.configuration);
  const cluster = await openWithMarks(context, repository);
  const met: Met[] = [];
  for (const host of hosts) met.push(await meet(context, repository.configuration, host));
  const check: CheckCard = async (card) => {
    for (const { host } of met.filter((one) => one.card === card)) {
      await requireKnown(context, host, card);
    }
  };
  const cards = met.map(({ card }) => card);
  const enrolled = await enrolAndAdmit(context, cluster, cards, options, check);
  const failures: Failure[] = [];
  for (const { host } of met) {
    failures.push(...(await fillMirror(context, cluster, { host, options: onlyKnown })));
  }
  throwFirst(context, failures);
  context.result(enrolled);
}

/** @throws Failure `node/unverified` unless ssh knows the host by the key that has signed the card */
async function requireKnown(context: Context, host: string, card: FoundCard): Promise<void> {
  const known = await keysKnownToSsh(host, context.environment);
  if (known.includes(card.hostKey)) return;
  throw new Failure(
    "node/unverified",
    `the card of ${card.card.node} is signed by ${fingerprint(card.hostKey)}, which isn't a key by which ssh knows ${host}`,
    `compare on the node: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub, and here: ssh-keygen -lF ${host.replace(/^.*@/u, "")}`,
  );
}

/** Asks a host for its card, which it makes with its identity if it has none. */
async function meet(
  context: Context,
  { cluster, source, roots, threshold }: RepositoryConfiguration,
  host: string,
): Promise<Met> {
  // A checkout is nothing that a node reaches: what it needs is brought into its mirror.
  const reached = source.startsWith("dir:") ? "dir:/var/lib/sealaunch-source" : source;
  const trust = utf8(JSON.stringify({ cluster, source: reached, roots, threshold }));
  const remote = { host, options: onlyKnown };
  const answer = await runOverSsh(remote, `exec sh -euc '${script}'`, trust, context.environment);
  const lines = (textOf(answer) ?? "").split("\n");
  const [bytes, signature, configuration, said] = lines.map((line) => decodeBase64(utf8(line)));
  if (bytes === undefined || signature === undefined || configuration === undefined) {
    throw new Failure("source/hostile", `${host} answers with no card`);
  }
  for (const line of (textOf(said ?? new Uint8Array()) ?? "").split("\n")) {
    if (line.startsWith("warning: ")) context.warn(`${host}: ${line.slice("warning: ".length)}`);
  }
  const node = decodeNodeConfiguration(configuration, `${host}:/etc/sealaunch/node.json`);
  if (node.cluster !== cluster) {
    throw new Failure(
      "cluster/mismatch",
      `${host} is a node of cluster ${node.cluster}, and this is cluster ${cluster}`,
    );
  }
  return { host, card: foundCard(bytes, signature, `${host}:card.json`) };
}

// In /etc/sealaunch, or where the NixOS module keeps it. An agent that was started without an identity is
// given it by systemd when it is started anew. What was said while the identity was made comes
// last: it warns of a machine without a TPM.
const script = `umask 022
for d in /etc/sealaunch /var/lib/sealaunch/node ""; do
  [ -n "$d" ] && [ -e "$d/card.json" ] && break
done
said=
if [ -z "$d" ]; then
  d=/etc/sealaunch
  t=$(mktemp -d)
  trap "rm -rf $t" EXIT
  cat >"$t/sealaunch.json"
  sealaunch identity create --config "$t/sealaunch.json" --into "$d" \
    --mirror /var/lib/sealaunch-mirror >"$t/out" 2>"$t/said" || { cat "$t/said" >&2; exit 1; }
  said=$(cat "$t/said")
  systemctl try-restart sealaunch-agent.service 2>/dev/null || :
fi
for f in "$d/card.json" "$d/card.json.sig" /etc/sealaunch/node.json; do
  base64 -w0 "$f"
  echo
done
printf %s "$said" | base64 -w0
echo`;
