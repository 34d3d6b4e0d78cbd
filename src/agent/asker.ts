import { Failure } from "../failure.ts";
import { childrenOf, processFacts, type ProcessFacts } from "../host/processes.ts";
import { showUnit, type UnitFacts } from "../host/systemd.ts";
import { abstractNames, holdsSocket, peerInode } from "../host/unix-sockets.ts";
import { parseClaim, type Claim } from "./claim.ts";

/** Who asks, as the kernel and PID 1 have it. */
export interface Asker extends Claim {
  readonly facts: UnitFacts;
  /** The process of systemd's that has the other end of the connection. */
  readonly process: ProcessFacts;
  /** The inode of that other end. */
  readonly socket: number;
}

/**
 * Who is at the other end of an accepted connection: systemd itself, while it starts the unit that
 * the asker is.
 *
 * The name of the socket is only a claim, which anybody with uid 0 can make. It holds where PID 1
 * says which process it has just made for that unit, and that process, or a child of it, still runs
 * systemd's own program within the unit's control group and holds the socket. docs/decisions/0016
 * has what was tried instead, and forged.
 *
 * @param listening - the path that the connection was accepted on
 * @param own - the inode of the accepted socket
 * @param foreseen - is shown the units that are claimed at this moment, before anything is found out
 * @throws Failure `agent/unknown-asker`, `host/sockets`, `systemd/unavailable`
 */
export async function identifyAsker(
  listening: string,
  own: number,
  foreseen: (facts: UnitFacts) => void,
): Promise<Asker> {
  // The unit is asked about while the kernel is asked for the peer: nearly always there is one claim.
  const asked = new Map<string, Promise<UnitFacts>>();
  const factsOf = (unit: string): Promise<UnitFacts> => {
    const facts = asked.get(unit) ?? showUnit(unit);
    asked.set(unit, facts);
    facts.catch(() => undefined);
    return facts;
  };
  for (const unit of unitsClaimed()) void factsOf(unit).then(foreseen, () => undefined);
  const socket = await peerInode(listening, own);
  const claim = claimOf(socket);
  const facts = await factsOf(claim.unit);
  const process = findHolder(facts, socket);
  if (process !== undefined) return { ...claim, facts, process, socket };
  throw new Failure(
    "agent/unknown-asker",
    `somebody asks for credential ${claim.credential} as ${claim.unit}, and is not systemd starting it`,
  );
}

const maxForeseen = 8;

/** The units that somebody claims to be at this moment; some of them, if somebody makes up many. */
function unitsClaimed(): ReadonlySet<string> {
  const claims = [...abstractNames().values()].flat().map(parseClaim);
  const units = claims.filter((claim) => claim !== undefined).map(({ unit }) => unit);
  return new Set(units.slice(0, maxForeseen));
}

function claimOf(socket: number): Claim {
  const names = abstractNames().get(socket) ?? [];
  const claim = names.length === 1 ? parseClaim(names[0] ?? "") : undefined;
  if (claim !== undefined) return claim;
  throw new Failure(
    "agent/unknown-asker",
    `somebody connects from ${names.length === 0 ? "a socket without a name" : "a socket whose name is no unit's"}`,
  );
}

/** The process of a unit that PID 1 is starting, where it or a child of it has that socket. */
function findHolder(
  { mainPid, controlPid, controlGroup }: UnitFacts,
  socket: number,
): ProcessFacts | undefined {
  const started = [mainPid, controlPid].filter((pid) => pid > 0);
  return [...started.flatMap(childrenOf), ...started]
    .map(processFacts)
    .find((process) => process !== undefined && isHolder(process, controlGroup, socket));
}

function isHolder(
  { pid, isSystemd, controlGroup }: ProcessFacts,
  expected: string,
  socket: number,
): boolean {
  return isSystemd && expected !== "" && controlGroup === expected && holdsSocket(pid, socket);
}

/** Whether the asker is still who it was. To be asked just before the answer. */
export function isStillAsking({ process, facts, socket }: Asker): boolean {
  const now = processFacts(process.pid);
  if (now?.startTime !== process.startTime) return false;
  return isHolder(now, facts.controlGroup, socket);
}
