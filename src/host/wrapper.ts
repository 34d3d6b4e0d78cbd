import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../failure.ts";
import { wrapperName, wrapperNar, wrapperPath } from "../service/wrapper.ts";
import { errorCode } from "./files.ts";
import { replaceRoots } from "./gc-roots.ts";
import { ConnectionLost, UnknownProtocol } from "./nix-daemon-wire.ts";
import { NixDaemon } from "./nix-daemon.ts";
import { explain } from "./nix-errors.ts";
import { findProgram, run } from "./process.ts";

/** Who keeps the wrapper in the store, also while no unit needs it. */
const keeper = "sealaunch-agent.service";

/**
 * The wrapper's store path, which now is in the store and stays there.
 *
 * @param script - what its `bin/sealaunch` is
 * @throws Failure `closure/failed`, `closure/unavailable`, `write/refused`
 */
export async function addWrapper(
  script: Uint8Array,
  state: string,
  timeoutMs: number,
): Promise<string> {
  const expected = wrapperPath(script);
  // Until it is pinned, the connection's temporary root keeps it.
  using daemon = await NixDaemon.open(Date.now() + timeoutMs).catch(explained);
  const timer = setTimeout(() => daemon?.[Symbol.dispose](), timeoutMs);
  try {
    const viaDaemon = daemon && (await addThroughDaemon(daemon, script));
    const storePath = viaDaemon ?? (await addWithProgram(script, state, timeoutMs));
    if (storePath !== expected) {
      throw new Failure("closure/failed", `Nix names the wrapper ${storePath}, not ${expected}`);
    }
  } finally {
    clearTimeout(timer);
  }
  await replaceRoots(state, keeper, [expected], timeoutMs);
  return expected;
}

/** The store path; undefined if the daemon speaks another protocol. */
async function addThroughDaemon(
  daemon: NixDaemon,
  script: Uint8Array,
): Promise<string | undefined> {
  try {
    const { succeeded, storePath, words } = await daemon.add(wrapperName, wrapperNar(script));
    if (succeeded) return storePath;
    throw explain(wrapperPath(script), words);
  } catch (error) {
    if (error instanceof UnknownProtocol) return undefined;
    return explained(error);
  }
}

function explained(error: unknown): never {
  if (!(error instanceof ConnectionLost)) throw error;
  throw new Failure("closure/unavailable", `the Nix daemon ${error.message}`);
}

/** nix-store names a directory as it is named where it lies. */
async function addWithProgram(
  script: Uint8Array,
  state: string,
  timeoutMs: number,
): Promise<string> {
  const directory = await mkdtemp(join(state, ".wrapper-")).catch((error: unknown) => {
    throw new Failure("write/refused", `${state} can't be written: ${errorCode(error)}`);
  });
  try {
    const bin = join(directory, wrapperName, "bin");
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, "sealaunch"), script);
    await chmod(join(bin, "sealaunch"), 0o555);
    const nixStore = await findProgram("nix-store");
    const words = ["--add", join(directory, wrapperName)];
    const { exitCode, stdout, stderr } = await run(nixStore, words, { timeoutMs });
    if (exitCode !== 0) throw explain(wrapperPath(script), stderr);
    return new TextDecoder().decode(stdout).trim();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
