import { decodeDecision } from "../../formats/decision.ts";
import { Failure } from "../../failure.ts";
import type { Collected } from "./collected.ts";

/** A service as PID 1 has it now. */
export interface SeenUnit {
  readonly unit: string;
  readonly isActive: boolean;
  /** Store paths that its commands and its own files name. */
  readonly names: readonly string[];
  /** Whom to ask about it; undefined if no file of its says. */
  readonly owner: string | undefined;
}

const anyPath = /\/nix\/store\/[0-9a-df-np-sv-z]{32}-[0-9a-zA-Z+\-._?=]{1,211}/gu;

/** The services that a machine has shown. */
export function seenUnits({ lines }: Collected): SeenUnit[] {
  const targets = new Map(
    lines("unit-links").map((line) => {
      const at = line.indexOf(" ");
      return [line.slice(0, at), line.slice(at + 1)] as const;
    }),
  );
  const owners = new Map(
    lines("owners").flatMap((line) => {
      const [, file, owner] = /^(\/.*?):X-Owner=(.*)$/u.exec(line) ?? [];
      return file === undefined || owner === undefined ? [] : [[file, asText(owner)] as const];
    }),
  );
  return blocksOf(lines("units")).flatMap((block) => {
    const unit = block.get("Id")?.[0];
    if (unit?.endsWith(".service") !== true) return [];
    const files = [
      ...(block.get("FragmentPath") ?? []),
      // A drop-in comes later, and counts.
      ...(block.get("DropInPaths") ?? []).flatMap((all) => all.split(" ")),
    ];
    const commands = [...block].flatMap(([key, values]) => (key.startsWith("Exec") ? values : []));
    const named = [...commands, ...files, ...files.map((file) => targets.get(file) ?? "")];
    const state = block.get("ActiveState")?.[0] ?? "";
    return {
      unit,
      isActive: !["inactive", "failed", ""].includes(state),
      names: [...new Set(named.flatMap((value) => value.match(anyPath) ?? []))].sort(),
      owner: files.flatMap((file) => owners.get(file) ?? []).at(-1),
    };
  });
}

/** `KEY=VALUE` lines, units apart by an empty one; a key may come several times. */
function blocksOf(lines: readonly string[]): ReadonlyMap<string, readonly string[]>[] {
  const blocks: Map<string, string[]>[] = [];
  let block: Map<string, string[]> | undefined;
  for (const line of lines) {
    const at = line.indexOf("=");
    if (at === -1) {
      if (line === "") block = undefined;
      continue;
    }
    if (block === undefined) {
      block = new Map<string, string[]>();
      blocks.push(block);
    }
    const key = line.slice(0, at);
    block.set(key, [...(block.get(key) ?? []), line.slice(at + 1)]);
  }
  return blocks;
}

/** What the last start of each unit got, as the agent has kept it; what can't be read counts as none. */
export function seenBundles({ lines }: Collected): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, { at: string; bundles: readonly string[] }>();
  for (const line of lines("decisions")) {
    const decision = decisionIn(line);
    if (decision === undefined || (found.get(decision.unit)?.at ?? "") > decision.at) continue;
    const bundles = decision.bundles.map(
      ({ bundle, series, generation }) => `${bundle} ${String(series)}.${String(generation)}`,
    );
    found.set(decision.unit, { at: decision.at, bundles: bundles.sort() });
  }
  return new Map([...found].map(([unit, { bundles }]) => [unit, bundles]));
}

function decisionIn(line: string): ReturnType<typeof decodeDecision> | undefined {
  try {
    return decodeDecision(Buffer.from(line, "latin1"), "decision");
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** What was read byte by byte, as the text that it is. */
function asText(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("utf8").slice(0, 256);
}
