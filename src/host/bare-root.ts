import { findProgram, run } from "./process.ts";

const answersWithinMs = 60_000;

/**
 * The first place below `paths` that root can't read once it has no capability to read whatever it likes;
 * undefined if it reads all of it.
 */
export async function firstUnreadable(paths: readonly string[]): Promise<string | undefined> {
  const [setpriv, find] = await Promise.all([findProgram("setpriv"), findProgram("find")]);
  const none = ["--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", "--"];
  const looking = [find, ...paths, "!", "-readable", "-print", "-quit"];
  const { stdout, stderr } = await run(setpriv, [...none, ...looking], {
    timeoutMs: answersWithinMs,
    // It goes back to where it began, which it may not enter.
    cwd: "/",
  });
  const found = new TextDecoder().decode(stdout).split("\n")[0] ?? "";
  if (found !== "") return found;
  return /^.*: [‘'](.+)[’']: Permission denied$/mu.exec(stderr)?.[1];
}
