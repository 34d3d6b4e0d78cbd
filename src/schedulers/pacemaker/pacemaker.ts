import { textOf } from "../../crypto/bytes.ts";
import { Failure } from "../../failure.ts";
import {
  decodePacemakerStanding,
  type PacemakerStanding,
} from "../../formats/schedulers/pacemaker.ts";
import { printable } from "../../printable.ts";
import { unitDigest } from "../../service/scheduled/pacemaker-cib.ts";
import {
  goneBack,
  waitUntilRunning,
  withSequel,
  type Patience,
  type Standing,
  type Submitted,
  type Submitting,
} from "../running.ts";
import { changePart, readPart, unavailable, type RunOnNode } from "./configuring.ts";

/** What Pacemaker is to run. */
export interface PacemakerService {
  readonly name: string;
  readonly instances: number | "every node";
  /** As `sealaunch unit --for pacemaker` writes it. */
  readonly configuration: Uint8Array;
}

/** The nodes of a cluster, as far as they are needed. */
export interface PacemakerNodes {
  /** Runs a program on one of them, where the cluster is configured. */
  readonly run: RunOnNode;
  /** Which start of the service's unit runs on a node, as systemd numbers it; "" if none does. */
  readonly invocationOn: (node: string) => Promise<string>;
  /**
   * After it, all of them have the service's unit, and what a start of it needs; or none has changed.
   *
   * @returns whether one has
   */
  readonly placeUnits: () => Promise<boolean>;
  /** After it, they have the unit that they had before. */
  readonly putUnitsBack: () => Promise<void>;
}

/**
 * A service for Pacemaker. The unit is on all nodes, and was examined there, before anything is stopped; then
 * Pacemaker restarts what runs, and what was there before is put back if that doesn't run.
 */
export function submitToPacemaker(nodes: PacemakerNodes, service: PacemakerService): Submitting {
  return {
    difference: async () => {
      const { former } = await readPart(nodes.run, service.name);
      const after = plain(service.configuration);
      // Whatever the blanks in it.
      return { before: former === undefined ? "" : plain(former), after };
    },
    submit: (patience) => submit(nodes, service, patience),
  };
}

async function submit(
  nodes: PacemakerNodes,
  service: PacemakerService,
  patience: Patience,
): Promise<Submitted> {
  const { name, configuration } = service;
  const { former } = await readPart(nodes.run, name);
  const isSame = former !== undefined && plain(former) === plain(configuration);
  const restarts = former === undefined || digestOf(former) !== digestOf(configuration);
  const before = new Map<string, string>();
  if (restarts) {
    for (const node of (await standingNow(nodes, name)).started)
      before.set(node, await nodes.invocationOn(node));
  }
  const wait = (): Promise<readonly string[]> =>
    waitUntilRunning(`${name} of Pacemaker`, patience, () => look(nodes, service, before));
  const hasPlaced = await nodes.placeUnits();
  let isChanged = false;
  try {
    if (!isSame) await changePart(nodes.run, name, configuration);
    isChanged = !isSame;
    return { ranAlready: isSame && !hasPlaced, nodes: await wait() };
  } catch (error) {
    if (!(error instanceof Failure) || (isSame && !hasPlaced)) throw error;
    const goBack = async (): Promise<string> => {
      await nodes.putUnitsBack();
      if (!isChanged) return "what was there before is as it was";
      await changePart(nodes.run, name, former);
      // Else a node on which it failed isn't tried again for a minute.
      await nodes.run("crm_resource", ["--cleanup", "--resource", name]);
      if (former === undefined) return "nothing of it ran before, and it was taken out again";
      const wasThere = { ...service, configuration: former };
      const again = (): Promise<Standing> => look(nodes, wasThere, new Map());
      const found = await waitUntilRunning(`what ${name} was before`, patience, again);
      return `what ran before runs on ${found.join(", ")}`;
    };
    throw withSequel(error, await goneBack(goBack));
  }
}

async function standingNow({ run }: PacemakerNodes, name: string): Promise<PacemakerStanding> {
  const { exitCode, stdout, stderr } = await run("crm_mon", ["--one-shot", "--output-as=xml"]);
  if (exitCode !== 0) throw unavailable("crm_mon", stderr);
  return decodePacemakerStanding(stdout, [name, `every.${name}`]);
}

/** @param before - the starts that ran before, by node: one of those isn't what is waited for */
async function look(
  nodes: PacemakerNodes,
  { name, instances }: PacemakerService,
  before: ReadonlyMap<string, string>,
): Promise<Standing> {
  const { online, started, banned, failures } = await standingNow(nodes, name);
  const open = online.filter((node) => !banned.includes(node));
  const needed = instances === "every node" ? Math.max(1, open.length) : instances;
  const running: string[] = [];
  for (const node of started) {
    const invocation = await nodes.invocationOn(node);
    if (invocation !== "" && invocation !== before.get(node)) running.push(node);
  }
  if (running.length >= needed) return { nodes: running.sort() };
  if (failures.length > 0) return { why: failures.map(printable).join("; ") };
  const counted = `${String(running.length)} of ${String(needed)} run`;
  return {
    why:
      open.length === 0 ? `${counted}; no node that is there may run it` : `${counted}; no failure`,
  };
}

/** A configuration, each element on a line of its own, to compare. */
function plain(configuration: Uint8Array): string {
  const text = textOf(configuration) ?? "";
  return text
    .replaceAll(/\s*\n\s*/gu, "")
    .replaceAll(/<(\w+)><\/\1>/gu, "<$1/>")
    .replaceAll(/(?<=>)\s*(?=<)/gu, "\n");
}

function digestOf(configuration: Uint8Array): string | undefined {
  const text = textOf(configuration) ?? "";
  return new RegExp(`name="${unitDigest}" value="(?<digest>[0-9a-f]+)"`, "u").exec(text)?.groups?.[
    "digest"
  ];
}
