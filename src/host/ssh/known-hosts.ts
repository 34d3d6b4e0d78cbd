import { Failure } from "../../failure.ts";
import { findProgram, run } from "../process.ts";

/**
 * The host keys that a known_hosts file has for `host`, as `TYPE BASE64`; hashed names are found
 * too. Certificate authorities are not host keys, and what the file revokes is left out.
 *
 * @param file - absolute
 * @throws Failure `source/unreadable` if the file can't be read
 */
export async function knownHostKeys(host: string, file: string): Promise<string[]> {
  const { exitCode, stdout } = await run(await findProgram("ssh-keygen"), ["-F", host, "-f", file]);
  // 1 is "not found"; everything else that isn't 0 says that the file couldn't be read.
  if (exitCode === 1) return [];
  if (exitCode !== 0) {
    throw new Failure("source/unreadable", `ssh-keygen can't look up ${host} in ${file}`);
  }
  const lines = new TextDecoder()
    .decode(stdout)
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("# "))
    .map((line) => line.split(" "));
  const keyAfter = (words: readonly string[], count: number): string =>
    words.slice(count, count + 2).join(" ");
  const revoked = lines
    .filter(([first]) => first === "@revoked")
    .map((words) => keyAfter(words, 2));
  return lines
    .filter(([first = ""]) => !first.startsWith("@"))
    .map((words) => keyAfter(words, 1))
    .filter((line) => !revoked.includes(line));
}
