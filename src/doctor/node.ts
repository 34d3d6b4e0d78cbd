import { agentSocket } from "../service/delivery.ts";
import { readRoster, type Cluster } from "../cluster/cluster.ts";
import { openNode, readNode, type Located } from "../cluster/configuration.ts";
import { readIdentities } from "../cluster/identities.ts";
import { createMemory } from "../cluster/memory.ts";
import { wipe } from "../crypto/bytes.ts";
import { Failure } from "../failure.ts";
import type { NodeConfiguration } from "../formats/configuration.ts";
import { socketFacts } from "../host/file-facts.ts";
import { showAll, systemdVersion } from "../host/systemd/systemd.ts";
import { error, warning, type Finding } from "../service/finding.ts";
import { examineVersion } from "../service/systemd-version.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { failureOf } from "./failures.ts";
import { identityPath } from "./identity.ts";
import type { OpeningMeans } from "./opening.ts";
import { examineSource } from "./source.ts";

export const agentUnits = {
  socket: "sealaunch-agent.socket",
  service: "sealaunch-agent.service",
} as const;

/** A node on which units may be examined further. */
export interface SoundNode extends OpeningMeans {
  readonly cluster: Cluster;
  readonly roster: VerifiedRoster;
}

/** What is to be said of a machine, whatever unit is started on it. */
export interface NodeExamination {
  readonly findings: readonly Finding[];
  /** Undefined if its configuration, identity or roster is one of the findings. */
  readonly node: SoundNode | undefined;
}

// An identity, the rosters and pools of a node, and the bundles of its units.
const maxRemembered = 1024;

/**
 * Whatever would keep any unit of this machine from its secrets.
 *
 * @param path - of node.json, if it isn't where it should be
 * @throws Failure `systemd/unavailable`
 */
export async function examineNode(path: string | undefined, now: Date): Promise<NodeExamination> {
  const findings = [...examineVersion(await systemdVersion()), ...(await examineAgent())];
  const node = await configurationOf(path);
  if (node instanceof Failure) return { findings: [...findings, error(node)], node: undefined };
  const memory = createMemory(maxRemembered);
  const identityFile = await identityPath(node, agentUnits.service);
  const identities = () => readIdentities(identityFile, memory);
  const missing = await failureOf(async () => {
    wipe(...(await identities()).map(({ seed }) => seed));
  });
  if (missing !== undefined) findings.push(error(missing));
  const judged = await judge(node, now);
  if (judged instanceof Failure) return { findings: [...findings, error(judged)], node: undefined };
  findings.push(...(await examineSource(judged.cluster, node.configuration, agentUnits.service)));
  findings.push(...clockFindings(judged.roster, now));
  return {
    findings,
    node: missing === undefined ? { node, identities, memory, now, ...judged } : undefined,
  };
}

async function configurationOf(
  path: string | undefined,
): Promise<Located<NodeConfiguration> | Failure> {
  try {
    return await readNode(path);
  } catch (failure) {
    if (failure instanceof Failure) return failure;
    throw failure;
  }
}

async function judge(
  node: Located<NodeConfiguration>,
  now: Date,
): Promise<Pick<SoundNode, "cluster" | "roster"> | Failure> {
  try {
    const cluster = await openNode(node, now);
    const { record: roster } = await readRoster(cluster);
    return { cluster, roster };
  } catch (failure) {
    if (failure instanceof Failure) return failure;
    throw failure;
  }
}

/** Whether the roster was signed in what is the future here: then what expires, does so too late. */
function clockFindings({ generation, issued }: VerifiedRoster, now: Date): Finding[] {
  if (Date.parse(issued) <= now.getTime()) return [];
  const what = `roster ${String(generation)} was issued ${issued}, and here it is ${now.toISOString()}`;
  return [warning(new Failure("clock/behind", what))];
}

async function examineAgent(): Promise<Finding[]> {
  const [socket, service] = await Promise.all([
    showAll(agentUnits.socket, "Unit"),
    showAll(agentUnits.service, "Unit"),
  ]);
  const findings: Finding[] = [];
  if (socket.get("ActiveState") !== "active") {
    findings.push(
      unavailable(
        `${agentUnits.socket} is ${String(socket.get("LoadState"))} and ${String(socket.get("ActiveState"))}`,
        socket.get("LoadState") === "masked" ? `systemctl unmask ${agentUnits.socket}` : undefined,
      ),
    );
  } else {
    findings.push(...(await examineSocketFile()));
  }
  const isFailed =
    service.get("ActiveState") === "failed" || service.get("SubState") === "auto-restart";
  if (isFailed || service.get("LoadState") !== "loaded") {
    findings.push(
      unavailable(
        `${agentUnits.service} is ${String(service.get("LoadState"))} and ${String(service.get("ActiveState"))} (${String(service.get("SubState"))})`,
        `journalctl -u ${agentUnits.service}`,
      ),
    );
  }
  return findings;
}

async function examineSocketFile(): Promise<Finding[]> {
  const facts = await socketFacts(agentSocket);
  const again = `systemctl restart ${agentUnits.socket}`;
  if (facts === undefined) return [unavailable(`there is no socket at ${agentSocket}`, again)];
  if (facts.uid === 0 && (facts.mode & 0o077) === 0) return [];
  return [
    unavailable(
      `${agentSocket} belongs to user ${String(facts.uid)} with mode ${facts.mode.toString(8).padStart(4, "0")}, and has to be root's alone`,
      `take SocketMode= and SocketUser= out of drop-ins of ${agentUnits.socket}, then ${again}`,
    ),
  ];
}

function unavailable(message: string, hint?: string): Finding {
  return error(new Failure("agent/unavailable", message, hint));
}
