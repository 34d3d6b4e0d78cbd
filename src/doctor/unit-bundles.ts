import type { Cluster, ReadStatement } from "../cluster/cluster.ts";
import type { Finding as ObjectFinding } from "../cluster/checking.ts";
import { Failure } from "../failure.ts";
import type { RunRequest } from "../launch/run-options.ts";
import { selectFrom } from "../launch/select.ts";
import { findStatement, type BundleRequest } from "../launch/wanted-statement.ts";
import { agentSocket, manifestName } from "../service/delivery.ts";
import { examineCredentials } from "../service/examine-credentials.ts";
import { judgeStart, type VerifiedStatement } from "../trust/statement.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { failureOf } from "./failures.ts";
import type { UnitAsks } from "./unit-asks.ts";

/**
 * What a unit asks for and the bundles don't serve: a bundle that isn't there or not for it, a floor above
 * the newest generation, a credential that none has, a `LoadCredential=` line that is missing or over.
 */
export async function examineAsks(
  cluster: Cluster,
  roster: VerifiedRoster,
  asks: UnitAsks,
): Promise<ObjectFinding> {
  const failures: Failure[] = [];
  const notes: Failure[] = [];
  const statements = new Map<string, ReadStatement>();
  const named = ({ bundle, path = "" }: BundleRequest): string => `${bundle}=${path}`;
  const add = (failure: Failure | undefined): void => {
    const isNew = failures.every(({ message }) => message !== failure?.message);
    if (failure !== undefined && isNew) failures.push(failure);
  };
  for (const wanted of asks.requests.flatMap(({ bundles }) => bundles)) {
    add(
      await failureOf(async () => {
        const read = (await findStatement(cluster, roster, wanted))?.read;
        if (read === undefined) return;
        statements.set(named(wanted), read);
        const { floor } = wanted;
        const [request] = asks.requests;
        const inPlace = asks.way === "in place";
        const unit = inPlace ? request?.unit : askerOf(asks.unit, read.record);
        judgeStart(read.record, roster, { unit, inPlace, floor }, cluster.now);
      }),
    );
  }
  const names = new Set<string>();
  for (const request of asks.requests) {
    const served = request.bundles.map((wanted) => statements.get(named(wanted)));
    // Which credentials there are isn't known while a bundle isn't.
    if (served.includes(undefined)) continue;
    add(
      await failureOf(() => {
        for (const name of namesFor(
          request,
          served.filter((one) => one !== undefined),
        )) {
          names.add(name);
        }
      }),
    );
  }
  if (failures.length === 0 && asks.loads !== undefined) {
    const needs = { socket: agentSocket, manifest: manifestName, names: [...names], areAll: true };
    for (const { severity, failure } of examineCredentials(asks.loads, needs)) {
      (severity === "error" ? failures : notes).push(failure);
    }
  }
  return { object: `unit ${asks.unit}`, generation: "-", failures, notes };
}

/** The unit that asks; of a template one of its instances that the statement names, if it names any. */
function askerOf(unit: string, { units }: VerifiedStatement): string {
  const template = /^(.*@)\.[a-z]+$/u.exec(unit)?.[1];
  if (template === undefined) return unit;
  return units.find((name) => name.startsWith(template)) ?? unit;
}

/** The credentials that a command gets. @throws Failure `credential/missing`, `usage/invalid` */
function namesFor(request: RunRequest, statements: readonly ReadStatement[]): string[] {
  const selected = [...selectFrom(statements, request.credentials).values()].flat();
  const names = [...selected, ...request.renders.keys()];
  for (const [variable, credential] of request.variables) {
    if (names.includes(credential)) continue;
    throw new Failure(
      "credential/missing",
      `variable ${variable} is to be credential ${credential}, and the command gets ${names.join(", ") || "none"}`,
    );
  }
  return names;
}
