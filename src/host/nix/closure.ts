import { Failure } from "../../failure.ts";
import { findProgram, run } from "../process.ts";
import { parsePathInfo, type ValidPath } from "./path-info.ts";

/**
 * The closure of store paths, as the store's database has it. Nothing is fetched or built.
 *
 * @param root - of a store that is not this machine's: it lies at `root/nix/store`
 * @throws Failure `store/missing`, `store/failed`, `program/missing`
 */
export async function readClosure(
  storePaths: readonly string[],
  root: string | undefined,
): Promise<ValidPath[]> {
  const nix = await findProgram("nix");
  const { exitCode, stdout, stderr } = await run(nix, [
    ...["--extra-experimental-features", "nix-command", "path-info", "--json", "--recursive"],
    ...["--option", "substituters", "", ...(root === undefined ? [] : ["--store", root])],
    ...storePaths,
  ]);
  if (exitCode !== 0) {
    const invalid = /'(\/nix\/store\/[^']+)' is not valid|build these paths:\s+(\S+)/u.exec(stderr);
    if (invalid !== null) {
      const path = invalid[1] ?? invalid[2] ?? "";
      throw new Failure("store/missing", `${path} is not in the store`, `nix-store -r ${path}`);
    }
    const reason = stderr.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
    throw new Failure("store/failed", `nix path-info doesn't tell the closure: ${reason}`);
  }
  return parsePathInfo(JSON.parse(new TextDecoder().decode(stdout)));
}
