import { basename, resolve } from "node:path";
import { createTwoFilesPatch } from "diff";
import { createRealise } from "../../agent/closures.ts";
import { wantedBy } from "../../agent/wanted.ts";
import { readNode } from "../../cluster/configuration.ts";
import { textOf } from "../../crypto/bytes.ts";
import { examineNode } from "../../doctor/node.ts";
import { lastRefusal } from "../../doctor/last-refusal.ts";
import { examineUnit } from "../../doctor/unit.ts";
import { Failure } from "../../failure.ts";
import { parseName } from "../../formats/names.ts";
import { addRoots } from "../../host/gc-roots.ts";
import { readWrapper } from "../../host/package.ts";
import { requireRoot } from "../../host/privileges.ts";
import { showUnit } from "../../host/systemd/systemd.ts";
import { enableUnit, forgetFailure, settleUnit } from "../../host/systemd/jobs.ts";
import {
  beginReplacing,
  forgetBefore,
  placeOf,
  putBack,
  putInPlace,
  readBefore,
  type UnitPlace,
} from "../../host/systemd/unit-replacing.ts";
import { runs } from "../../service/stale-roots.ts";
import { listOf, parseUnitFile } from "../../service/unit-file.ts";
import type { Context } from "../context.ts";
import { lackOf, runsNow } from "./standing.ts";
import { readFileOf } from "../given-file.ts";

/** How a unit is put in place. */
export interface InstallOptions {
  /** Only what would change is told. */
  readonly isDryRun: boolean;
  /** For so many seconds it has to run before it counts as running. */
  readonly settle: number;
  /** It is put in place for a scheduler, which starts it, and isn't started here. */
  readonly isStartedElsewhere: boolean;
}

/**
 * After it, this machine runs a unit as its file says, from the next boot on too. What can't start never
 * takes the place of what runs: it is examined, and what it runs is fetched, before anything is stopped; and
 * if it doesn't stay up, what was there before is put back and started.
 *
 * @param path - of the unit's file, whose name is the unit's
 * @throws Failure `privileges/needed`, `file/absent`, `unit/malformed`, `unit/busy`; whatever keeps the unit from
 *   starting; `unit/not-started` if it was started and ended, and then what ran before runs again
 */
export async function unitInstall(
  context: Context,
  path: string,
  { isDryRun, settle, isStartedElsewhere }: InstallOptions,
): Promise<void> {
  requireRoot();
  const unit = parseName("unit", basename(path));
  const bytes = await readFileOf(context, resolve(context.directory, path));
  const text = textOf(bytes) ?? "";
  const file = parseUnitFile(text, unit);
  const { configuration } = await readNode(context.configuration);
  const place = placeOf(unit, configuration.state);
  await using held = new AsyncDisposableStack();
  if (!isDryRun) held.use(await beginReplacing(place));
  const facts = await showUnit(unit);
  const { before, isCutOff } = await readBefore(place);
  const diff = createTwoFilesPatch(
    `${unit}, as it is here`,
    `${unit}, as it is to be`,
    before ?? "",
    text,
  );
  const isThere = !isCutOff && before === text;
  const isSame = isThere && (isStartedElsewhere || facts.activeState === "active");
  if (isDryRun || isSame) {
    if (isSame) context.print(`${unit} ${isStartedElsewhere ? "is" : "runs"} as it is to`);
    else for (const line of diff.trimEnd().split("\n").slice(1)) context.print(line);
    const now = isDryRun ? await runsNow(facts) : undefined;
    const lack = isDryRun && !isSame ? await lackOf(unit, file) : undefined;
    if (lack !== undefined) context.warn(lack.message);
    context.result({
      ...{ unit, changed: false, runs: isSame, diff: isSame ? "" : diff, now },
      lack: lack && { code: lack.code, message: lack.message, hint: lack.hint },
    });
    return;
  }
  const change = { ...place, before, ran: runs(facts) };
  await putInPlace(change, text);
  await prepare(context, change);
  if (!isStartedElsewhere) {
    await start(change, settle);
    if (listOf(file, "Install", "WantedBy").length > 0) await enableUnit(unit);
  }
  await forgetBefore(change);
  context.print(`${unit} ${isStartedElsewhere ? "is in place" : "runs"}`);
  context.result({ unit, changed: true, runs: !isStartedElsewhere || change.ran, diff });
}

interface Change extends UnitPlace {
  /** What the file held; undefined if there was none. */
  readonly before: string | undefined;
  /** Whether the unit ran. */
  readonly ran: boolean;
}

/** After it, all that its start needs is here. What runs is as it was, whatever comes of it. */
async function prepare(context: Context, change: Change): Promise<void> {
  const { unit, state } = change;
  try {
    const facts = await showUnit(unit);
    const realise = createRealise(await readWrapper(), addRoots);
    await realise(unit, wantedBy(facts), state, facts.startTimeoutMs);
    const node = await examineNode(context.configuration, context.now);
    const findings = [...node.findings, ...(await examineUnit(unit, node.node))];
    for (const { severity, failure } of findings) {
      if (severity === "error") throw failure;
      context.warn(failure.message);
    }
  } catch (error) {
    await putBack(change);
    if (!(error instanceof Failure)) throw error;
    throw new Failure(
      error.code,
      `${unit} can't start as it is to, and ${change.ran ? "what runs was left as it is" : "nothing was started"}: ${error.message}`,
      error.hint,
    );
  }
}

/** After it, the unit runs, and has for a while; or what ran before does. */
async function start(change: Change, settle: number): Promise<void> {
  const { unit, ran } = change;
  const begun = new Date().toISOString();
  const reason = await settleUnit(unit, settle * 1000);
  if (reason === undefined) return;
  const refusal = await lastRefusal(unit);
  const why = refusal !== undefined && refusal.at >= begun ? refusal.message : reason;
  await putBack(change);
  if (!ran) {
    await forgetFailure(unit);
    throw new Failure("unit/not-started", `${unit} was started and doesn't run: ${why}`);
  }
  const again = await settleUnit(unit, settle * 1000);
  throw new Failure(
    "unit/not-started",
    `${unit} was started and doesn't run: ${why}; ${again === undefined ? "what was there before runs again" : `and what was there before doesn't either: ${again}`}`,
  );
}
