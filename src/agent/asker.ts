import { Failure } from "../failure.ts";
import { coalesce } from "../host/coalesce.ts";
import { childrenOf, processFacts, type ProcessFacts } from "../host/processes.ts";
import { showUnit, type UnitFacts } from "../host/systemd/systemd.ts";
import {
  abstractNames,
  holdsSocket,
  peerOf,
  type OwnSocket,
  type Connector,
} from "../host/unix-sockets.ts";
import { claimMark, parseClaim, type Claim } from "./claim.ts";

/** A process of systemd's that gives a unit its credentials, and what PID 1 said of the unit then. */
interface Holder {
  readonly facts: UnitFacts;
  readonly process: ProcessFacts;
  /** The control group that it has to be in. */
  readonly group: string;
  /** Whether the unit runs, and its credentials are fetched anew. */
  readonly isRefresh: boolean;
}

/** Who asks, as the kernel and PID 1 have it: the process has the other end of the connection. */
export interface Asker extends Claim, Holder {
  /** The inode of that other end. */
  readonly socket: number;
}

/** A listening socket of this process's. */
export interface Listening {
  readonly path: string;
  readonly inode: number;
}

/** Finds out who is at the other end of an accepted socket. */
export type Identify = (own: OwnSocket) => Promise<Asker>;

/**
 * How askers are identified: as systemd itself, while it starts the unit that the asker is, or fetches anew what
 * that was given.
 *
 * The name of the socket is only a claim, which anybody with uid 0 can make. It holds where PID 1
 * says which process it has just made for that unit, and that process, or a child of it, still runs
 * systemd's own program, with all of its powers, within the unit's control group, holds the socket, and is who has
 * connected it: what PID 1 forks has all that PID 1 has, also the sockets that PID 1 keeps for others. docs/decisions/0016
 * has what was tried instead, and forged, and 0029 what a reload differs in.
 *
 * @param listening - what connections are accepted on: PID 1 has it open too
 * @param foreseen - is shown what PID 1 says of units that are claimed, before it is found out by whom
 * @returns what throws Failure `agent/unknown-asker`, `host/sockets`, `systemd/unavailable`
 */
export function createIdentify(
  listening: Listening,
  foreseen: (facts: UnitFacts) => void,
): Identify {
  const recent = new Map<string, Holder>();
  const early = new Map<string, Promise<UnitFacts | undefined>>();

  const foresee = (unit: string): void => {
    if (early.has(unit) || early.size >= maxForeseen || holdsNow(recent.get(unit))) return;
    const facts = showUnit(unit).catch(() => undefined);
    early.set(unit, facts);
    void facts.then((known) => {
      early.delete(unit);
      if (known !== undefined) foreseen(known);
    });
  };

  // One look at the table serves all that was accepted in this turn of the event loop. A name is there
  // before its socket connects. Rows may be forged: what is foreseen for them leaves nowhere. Each socket
  // is looked at once: with hundreds that wait, every look would else cost as much as all of them.
  let seen: ReadonlyMap<number, unknown> = new Map();
  let nextLook = 0;
  const look = coalesce(async () => {
    await new Promise(setImmediate);
    if (performance.now() < nextLook) return;
    const begun = performance.now();
    const names = abstractNames(claimMark);
    const isLong = names.size > maxNames || performance.now() - begun > longestLookMs;
    // Anybody can make the table long, and what it is good for isn't worth reading that each time.
    if (isLong) nextLook = performance.now() + 60_000;
    const claims = [...names].flatMap(([inode, of]) => (seen.has(inode) ? [] : of.map(parseClaim)));
    seen = names;
    for (const claim of claims) if (claim !== undefined) foresee(claim.unit);
  });

  const findHolder = async (unit: string, socket: number): Promise<Holder | undefined> => {
    const before = recent.get(unit);
    if (before !== undefined && stillHolds(before, socket)) return before;
    // What was foreseen may be of a start before this one.
    const foreseenFacts = await early.get(unit);
    const found = foreseenFacts === undefined ? undefined : holderOf(foreseenFacts, socket);
    return found ?? holderOf(await showUnit(unit), socket);
  };

  return async (own) => {
    const [peer] = await Promise.all([peerOf(listening.path, own), look(own.inode)]);
    const { inode: socket, name, connector } = peer;
    const claim = claimOf(name);
    const holder = await findHolder(claim.unit, socket);
    if (holder === undefined || !hasConnected(holder, connector, listening.inode)) {
      throw new Failure(
        "agent/unknown-asker",
        `somebody asks for credential ${claim.credential} as ${claim.unit}, and is not systemd starting it`,
      );
    }
    recent.set(claim.unit, holder);
    if (recent.size > maxRecent) recent.delete(recent.keys().next().value ?? "");
    return { ...claim, ...holder, socket };
  };
}

const maxForeseen = 8;
const maxNames = 4096;
/** Some ten thousand sockets, of whatever name. */
const longestLookMs = 20;
const maxRecent = 4096;

function claimOf(name: string): Claim {
  const claim = parseClaim(name);
  if (claim !== undefined) return claim;
  throw new Failure(
    "agent/unknown-asker",
    `somebody connects from ${name === "" ? "a socket without a name" : "a socket whose name is no unit's"}`,
  );
}

/** Whoever has that socket, of the processes that PID 1 has made to give a unit its credentials. */
function holderOf(facts: UnitFacts, socket: number): Holder | undefined {
  return starterOf(facts, socket) ?? refresherOf(facts, socket);
}

/** The process of a unit that PID 1 is starting, where it or a child of it has that socket. */
function starterOf(facts: UnitFacts, socket: number): Holder | undefined {
  const group = facts.controlGroup;
  const started = [facts.mainPid, facts.controlPid].filter((pid) => pid > 0);
  for (const pid of [...started.flatMap(childrenOf), ...started]) {
    const process = processFacts(pid);
    if (process !== undefined && isHolder(process, group, socket)) {
      return { facts, process, group, isRefresh: false };
    }
  }
  return undefined;
}

/**
 * PID 1's own child that fetches a running unit's credentials anew, where that has the socket. It has executed
 * nothing, and is where PID 1 is; PID 1 takes nobody's word for which process that is.
 */
function refresherOf(facts: UnitFacts, socket: number): Holder | undefined {
  if (facts.activeState !== "refreshing" || facts.controlPid === 0) return undefined;
  const [process, group = ""] = [processFacts(facts.controlPid), processFacts(1)?.controlGroup];
  if (process?.parent !== 1 || !isHolder(process, group, socket)) return undefined;
  return { facts, process, group, isRefresh: true };
}

/**
 * Whether it is who has connected. Where the kernel can't be asked, since there is no perl or the call for it is
 * kept from the agent, a start is answered where its process has nothing any more of what PID 1 has open.
 *
 * @param listening - the inode of the socket that PID 1 has opened for the agent
 * @throws Failure `host/sockets` for a reload, at which PID 1's child keeps all of that, where it isn't certain
 */
function hasConnected(
  { facts, process, isRefresh }: Holder,
  connector: Connector | undefined,
  listening: number,
): boolean {
  if (connector !== undefined && (connector.isSame || !isRefresh))
    return process.pid === connector.pid;
  if (!isRefresh) return !holdsSocket(process.pid, listening);
  throw new Failure(
    "host/sockets",
    `the kernel doesn't say which process asks at a reload of ${facts.unit}: that takes Linux 6.5, perl and pidfd_getfd(2)`,
    "let a change restart it: --on-change restart; or apt-get install perl-base, where there is no perl",
  );
}

function isHolder(
  { pid, isSystemd, controlGroup }: ProcessFacts,
  expected: string,
  socket: number,
): boolean {
  return isSystemd && expected !== "" && controlGroup === expected && holdsSocket(pid, socket);
}

/** Whether the very same process has that socket, and is what it was. */
function stillHolds({ process, group }: Holder, socket: number): boolean {
  const now = processFacts(process.pid);
  if (now?.startTime !== process.startTime) return false;
  return isHolder(now, group, socket);
}

/** Whether a process that was identified is still there: then its unit needn't be asked about. */
function holdsNow(holder: Holder | undefined): boolean {
  return (
    holder !== undefined && processFacts(holder.process.pid)?.startTime === holder.process.startTime
  );
}

/** Whether the asker is still who it was. To be asked just before the answer. */
export function isStillAsking(asker: Asker): boolean {
  return stillHolds(asker, asker.socket);
}
