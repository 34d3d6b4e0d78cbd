import { setTimeout as pause } from "node:timers/promises";
import { readRoster, requireStatement, type Cluster } from "../../cluster/cluster.ts";
import { requireRepository } from "../../cluster/configuration.ts";
import { listRunningOn, type Asked, type RunningOn } from "../../cluster/running-on.ts";
import { openUserMarks } from "../../cluster/user-marks.ts";
import { Failure, failures } from "../../failure.ts";
import { parseName } from "../../formats/names.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import type { Context } from "../context.ts";
import { openWithMarks } from "../repository.ts";
import { concludeMembers, namesOf } from "./members-conclusion.ts";

/** Whose services are asked about, and whether it is waited for them. */
export interface MembersOptions {
  readonly pool: string | undefined;
  /** `NAME` or `NAME@FLOOR+`. */
  readonly bundle: string | undefined;
  readonly wait: boolean;
  /** In seconds. */
  readonly timeout: string;
}

const everyMs = 2_000;

/**
 * Tells what the members of a pool, or of a bundle's pools, run, by their own reports; waits until none is
 * behind, if asked.
 *
 * @throws Failure `unit/behind` if one is behind, after waiting if that was asked; what keeps the pools or
 *   the bundle from being verified; `configuration/…`, `usage/…`
 */
export async function statusOfMembers(context: Context, options: MembersOptions): Promise<void> {
  const deadline = performance.now() + parseTimeout(options.timeout) * 1000;
  const asked = parseAsked(options);
  const repository = await requireRepository(context.directory, context.configuration);
  const marks = openUserMarks(repository.configuration.cluster, context, false);
  const look = async () => {
    const opened = await openWithMarks(context, repository, true);
    const cluster = { ...opened, now: new Date() };
    const { record: roster } = await readRoster(cluster);
    const pools = await poolsOf(cluster, roster, asked);
    return { pools, rows: await listRunningOn(cluster, marks, roster, { ...asked, pools }) };
  };
  for (;;) {
    const isLast = !options.wait || performance.now() + everyMs >= deadline;
    const seen = await look().catch((error: unknown) => {
      // Whoever waits for minutes isn't stopped by a source that is away for seconds.
      if (isLast || !isPassing(error)) throw error;
    });
    const behind = seen?.rows.filter(({ isBehind }) => isBehind) ?? [];
    if (seen === undefined || (behind.length > 0 && !isLast)) {
      await pause(everyMs);
      continue;
    }
    await report(context, seen.rows, seen.pools);
    concludeMembers(behind, options.wait ? options.timeout : undefined);
    return;
  }
}

const isPassing = (error: unknown): boolean =>
  error instanceof Failure && ["unavailable", "again"].includes(failures[error.code][0]);

type AskedFor = Pick<Asked, "bundle" | "floor"> & { readonly pool: string | undefined };

function parseAsked({ pool, bundle }: MembersOptions): AskedFor {
  const [, name, floor = "0"] = /^(.*?)(?:@([0-9]{1,15})\+)?$/u.exec(bundle ?? "") ?? [];
  return {
    pool: pool === undefined ? undefined : parseName("pool", pool),
    bundle: bundle === undefined ? undefined : parseName("bundle", name ?? ""),
    floor: Number(floor),
  };
}

function parseTimeout(text: string): number {
  if (/^[1-9][0-9]{0,5}$/u.test(text)) return Number(text);
  throw new Failure(
    "usage/invalid",
    `--timeout ${JSON.stringify(text.slice(0, 20))} is no number of seconds`,
    "--timeout 600",
  );
}

async function poolsOf(
  cluster: Cluster,
  roster: VerifiedRoster,
  { pool, bundle }: AskedFor,
): Promise<readonly string[]> {
  if (bundle === undefined) return pool === undefined ? [] : [pool];
  const { audience } = await requireStatement(cluster, roster, bundle);
  if (pool === undefined || audience.includes(pool)) {
    return pool === undefined ? audience : [pool];
  }
  throw new Failure(
    "usage/invalid",
    `bundle ${bundle} is for ${audience.join(", ")}, and not for pool ${pool}`,
    `sealaunch status --bundle ${bundle}`,
  );
}

async function report(
  context: Context,
  rows: readonly RunningOn[],
  pools: readonly string[],
): Promise<void> {
  await context.table(
    ["node", "unit", "bundle", "has", "newest", ""],
    rows.map(({ node, unit, bundle, has, newest, isBehind, why }) => [
      node,
      unit ?? "-",
      bundle ?? "-",
      has ?? "-",
      newest ?? "-",
      isBehind ? `BEHIND: ${why}` : why,
    ]),
  );
  context.result({
    pools,
    nodes: new Set(rows.map(({ node }) => node)).size,
    behind: namesOf(rows.filter(({ isBehind }) => isBehind)),
    services: rows.map(({ node, unit, bundle, has, newest, isBehind, why, code }) => ({
      node,
      unit: unit ?? null,
      bundle: bundle ?? null,
      has: has ?? null,
      newest: newest ?? null,
      isBehind,
      why,
      code: code ?? null,
    })),
  });
}
