import { join } from "node:path";
import { Failure, type FailureCode } from "../failure.ts";
import { bundlesFolder } from "../formats/paths.ts";
import { stateFolder } from "../host/user-folders.ts";
import { noMarks, openMarks, type Marks } from "./marks.ts";

// What whoever seals or signs has seen (docs/decisions/0022-marks-where-branches-are-switched.md).

/** Whose marks they are. */
export interface MarksUser {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Is told in one line, without "warning:", what isn't refused. */
  warn(line: string): void;
}

const ownerAlone = 0o700;

/**
 * The marks that a user keeps of a cluster, below XDG_STATE_HOME, else below `~/.local/state`. Older
 * rosters and pool files are refused; of older statements it is told, since branches have their own.
 *
 * @param cluster - 32 hex digits
 * @param onlyWarns - tells also of older rosters and pool files, as to somebody who looks, and
 *   remembers no statement that is new
 * @throws Failure `configuration/missing` if the environment names no place, unless it only warns:
 *   then there are none
 */
export function openUserMarks(cluster: string, user: MarksUser, onlyWarns: boolean): Marks {
  const state = stateFolder(user.environment);
  if (state === undefined) {
    if (onlyWarns) return noMarks;
    throw new Failure(
      "configuration/missing",
      "neither XDG_STATE_HOME nor HOME names a directory, to remember in what was seen of the cluster",
      "export XDG_STATE_HOME=DIR, one that stays",
    );
  }
  const directory = join(state, "sealaunch/marks", cluster);
  // One file for each bundle of a large cluster takes long to reach the disk, and only warns.
  const isKept = (folder: string): boolean => !(onlyWarns && isBundle(folder));
  const marks = openMarks(directory, { folderMode: ownerAlone, hintOf, isKept });
  const told = new Set<string>();
  const tell = ({ message, hint }: Failure): void => {
    const line = `${message}: ${hint}`;
    if (!told.has(line)) user.warn(line);
    told.add(line);
  };
  return {
    see: async (folder, place, bytes) => {
      try {
        await marks.see(folder, place, bytes);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        if (isPast(error.code) && (onlyWarns || isBundle(folder))) tell(error);
        // Who looks may do so where nothing can be written.
        else if (!(onlyWarns && error.code === "write/refused")) throw error;
      }
    },
  };
}

const isPast = (code: FailureCode): boolean =>
  code === "mark/rolled-back" || code === "mark/equivocation";

const isBundle = (folder: string): boolean => folder.startsWith(`${bundlesFolder}/`);

function hintOf(code: FailureCode, folder: string, file: string): string | undefined {
  if (!isPast(code)) return undefined;
  if (isBundle(folder)) {
    const name = folder.slice(bundlesFolder.length + 1);
    return `if another branch has sealed it, join them: sealaunch seal ${name} --merge REV`;
  }
  const forget = `rm '${file.replaceAll("'", "'\\''")}'`;
  return code === "mark/equivocation"
    ? `two have signed that number: keep what nodes read, and make the other's change anew; if what was seen was given up for good: ${forget}`
    : `bring keys/ up to date: git pull, or git merge the branch that has what was seen; if that was given up for good: ${forget}`;
}
