import { Failure } from "../failure.ts";
import type { UnitFacts } from "../host/systemd/systemd.ts";
import { error, type Finding } from "../service/finding.ts";
import { isInStore } from "../service/store-path.ts";
import type { UnitSettings } from "../service/unit-settings.ts";
import { isGuarded } from "./guards.ts";
import { findInTree } from "./tree.ts";

/** Where the wrapper looks for programs of its own. */
const toolDirectories = ["/run/current-system/sw/bin", "/usr/bin", "/bin"];

/** What guarded commands run, as the unit sees it. */
export interface Runs {
  readonly findings: readonly Finding[];
  /** The files, links resolved; what wasn't found as it is called. */
  readonly paths: readonly string[];
  /** How many processes the wrapper is at once. */
  readonly processes: number;
}

/** Whether a unit sees all that its guarded commands run. */
export function examineCommands(facts: UnitFacts, settings: UnitSettings): Runs {
  const guarded = facts.commands.filter((command) => isGuarded(facts, command));
  const words = guarded.map((command) => command.words);
  const programs = words.flatMap((line) => {
    const end = line.indexOf("--");
    return [line[0] ?? "", ...(end < 0 ? [] : [line[end + 1] ?? ""])];
  });
  const paths = new Set<string>();
  const findings: Finding[] = [];
  const look = (what: string, candidates: readonly string[]): void => {
    const found = candidates.map((path) => findInTree(settings, path)).find(Boolean);
    paths.add(found?.path ?? candidates.at(-1) ?? "");
    const isElsewhere =
      found === undefined && candidates.some((path) => isLeftToNix(settings, path));
    if (found === undefined && !isElsewhere) findings.push(missing(settings, what));
  };
  look("/bin/sh", ["/bin/sh"]);
  look(
    "sha256sum",
    toolDirectories.map((directory) => `${directory}/sha256sum`),
  );
  const hasVariables = words.some((line) => line.some((word) => /^--env(?:=|$)/u.test(word)));
  if (hasVariables)
    look(
      "cat",
      toolDirectories.map((directory) => `${directory}/cat`),
    );
  for (const program of new Set(programs)) if (program.startsWith("/")) look(program, [program]);
  return { findings, paths: [...paths], processes: hasVariables ? 3 : 2 };
}

/** Whether a path is in the machine's own store, where it may yet have to be fetched. */
function isLeftToNix({ rootDirectory, binds }: UnitSettings, path: string): boolean {
  if (!isInStore(path)) return false;
  if (rootDirectory === "") return true;
  return binds.some(
    ({ source, destination }) =>
      source === destination && ["/", "/nix", "/nix/store"].includes(destination),
  );
}

function missing({ unit, rootDirectory, rootImage }: UnitSettings, what: string): Finding {
  const where = rootDirectory === "" ? rootImage : rootDirectory;
  if (where === "") {
    return error(
      new Failure("program/missing", `${unit} has to run ${what}, which isn't there`, "install it"),
    );
  }
  const hint = what.startsWith("/nix/store/")
    ? "BindReadOnlyPaths=/nix/store"
    : `put it into ${where}, or BindReadOnlyPaths= what has it`;
  return error(
    new Failure("unit/setting", `${unit} sees only ${where}, where there is no ${what}`, hint),
  );
}
