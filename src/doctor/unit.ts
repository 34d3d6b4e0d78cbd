import { existsSync, realpathSync } from "node:fs";
import { agentSocket, manifestName } from "../service/delivery.ts";
import { reserveMs } from "../agent/starts.ts";
import { whyNotReloadable } from "../agent/reloadable.ts";
import { wantedBy, type Wanted } from "../agent/wanted.ts";
import { Failure } from "../failure.ts";
import { showUnit, type UnitFacts } from "../host/systemd/systemd.ts";
import { showSettings } from "../host/systemd/settings.ts";
import { findUser } from "../host/users.ts";
import { findStatement } from "../launch/wanted-statement.ts";
import { examineCredentials } from "../service/examine-credentials.ts";
import { examineSettings } from "../service/examine-settings.ts";
import { error, warning, type Finding } from "../service/finding.ts";
import type { UnitSettings } from "../service/unit-settings.ts";
import { examineClosure } from "./closure.ts";
import { examineCommands } from "./commands.ts";
import { failureOf } from "./failures.ts";
import { examineGuards } from "./guards.ts";
import { agentUnits, type SoundNode } from "./node.ts";
import { tryOpening } from "./opening.ts";
import { wayOf } from "./way.ts";

/**
 * Whatever would keep a unit from starting with its secrets, beside what is wrong with the machine.
 *
 * @param node - undefined if nothing can be opened on it, which has been said
 * @throws Failure `systemd/unavailable`
 */
export async function examineUnit(unit: string, node: SoundNode | undefined): Promise<Finding[]> {
  const [facts, settings] = [await showUnit(unit), resolved(await showSettings(unit))];
  const unloaded = examineLoading(settings);
  if (unloaded !== undefined) return [error(unloaded)];
  const found = outdated(settings);
  if (wayOf(facts) === "in place") return [...found, ...(await examineInPlace(unit))];
  const wanted = wantedOf(facts);
  if (wanted instanceof Failure) return [...found, error(wanted)];
  const absent = wanted.sealed.filter((path) => !existsSync(path));
  const canOpen = node !== undefined && absent.length === 0;
  const opened = canOpen ? await tryOpening(unit, wanted, node) : undefined;
  const commands = examineCommands(facts, settings);
  return [
    ...found,
    ...(opened?.findings ?? []),
    ...absent.map(unopened),
    ...(node === undefined ? [] : await examineTimes(wanted, node)),
    ...(await examineClosure(unit, wanted, settings.startTimeoutMs)),
    ...examineGuards(facts),
    ...(await examineReload(facts, wanted)),
    ...examineCredentials(settings, {
      socket: agentSocket,
      manifest: manifestName,
      names: opened?.names ?? [...(wanted.credentials ?? []), ...wanted.renders.keys()],
      areAll: opened?.areAll ?? false,
    }),
    ...(settings.rootImage === "" ? commands.findings : []),
    ...examineSettings(settings, {
      runs: settings.rootImage === "" ? commands.paths : [],
      processes: commands.processes,
      hasEarlierCommand: facts.commands.length > 1,
      agentSocketUnit: agentUnits.socket,
      reserveMs,
    }),
    ...(await examineUser(settings)),
  ];
}

function examineLoading({ unit, loadState, loadError }: UnitSettings): Failure | undefined {
  if (loadState === "loaded") return undefined;
  if (loadState === "not-found") {
    return new Failure(
      "unit/absent",
      `systemd has no ${unit}`,
      "systemctl daemon-reload, if you have just written it",
    );
  }
  if (loadState === "masked") {
    return new Failure("unit/absent", `${unit} is masked`, `systemctl unmask ${unit}`);
  }
  return new Failure(
    "unit/absent",
    `systemd can't read ${unit}: ${loadState}${loadError === "" ? "" : `, ${loadError}`}`,
    `systemd-analyze verify ${unit}`,
  );
}

/** What has to be fetched first isn't opened: whether it can be, the closure's examination says. */
function unopened(path: string): Finding {
  const what = `${path} isn't here yet, so that what it has is seen at the start`;
  return warning(new Failure("unit/setting", what, `nix-store --realise ${path}`));
}

function outdated({ unit, needsReload }: UnitSettings): Finding[] {
  if (!needsReload) return [];
  const what = `the files of ${unit} were changed, and systemd goes by what they were`;
  return [warning(new Failure("unit/setting", what, "systemctl daemon-reload"))];
}

function examineInPlace(unit: string): Promise<Finding[]> {
  const what = `${unit} launches in place, which is tried only by starting it`;
  const hint = `sealaunch unit --wrap ${unit} has it started through the agent`;
  return Promise.resolve([warning(new Failure("unit/setting", what, hint))]);
}

function wantedOf(facts: UnitFacts): Wanted | Failure {
  try {
    return wantedBy(facts);
  } catch (failure) {
    if (failure instanceof Failure) return failure;
    throw failure;
  }
}

/** Bundles that were signed in what is the future here. */
async function examineTimes(
  { bundles }: Wanted,
  { cluster, roster, now }: SoundNode,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const request of bundles) {
    const { bundle } = request;
    await failureOf(async () => {
      const created = (await findStatement(cluster, roster, request))?.read.record.created;
      if (created === undefined || Date.parse(created) <= now.getTime()) return;
      const what = `bundle ${bundle} was signed ${created}, and here it is ${now.toISOString()}`;
      findings.push(warning(new Failure("clock/behind", what)));
    });
  }
  return findings;
}

/** Whether newer values will come to it as it says. */
async function examineReload(facts: UnitFacts, { onChange }: Wanted): Promise<Finding[]> {
  const failure = await whyNotReloadable(facts, onChange);
  return failure === undefined ? [] : [error(failure)];
}

async function examineUser({ unit, user, isDynamicUser }: UnitSettings): Promise<Finding[]> {
  if (user === "" || isDynamicUser) return [];
  const failure = await failureOf(() => findUser(user));
  if (failure === undefined) return [];
  const hint = `useradd --system ${user}, or DynamicUser=yes`;
  return [error(new Failure(failure.code, `${failure.message}, as whom ${unit} runs`, hint))];
}

/** The settings with paths as systemd follows them. */
function resolved(settings: UnitSettings): UnitSettings {
  // Below another root, links lead elsewhere.
  if (settings.rootDirectory !== "") return settings;
  const follow = (paths: readonly string[]): string[] => paths.map(followLinks);
  return {
    ...settings,
    noExecPaths: follow(settings.noExecPaths),
    execPaths: follow(settings.execPaths),
    inaccessiblePaths: follow(settings.inaccessiblePaths),
    temporaryFileSystems: follow(settings.temporaryFileSystems),
  };
}

function followLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
