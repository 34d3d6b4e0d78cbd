import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../failure.ts";
import { contentAddressedPath, encodeNar, type FileKind, type Tree } from "../../service/nar.ts";
import { elapsedMs } from "../elapsed.ts";
import { refused } from "../files.ts";
import { ConnectionLost, UnknownProtocol } from "./daemon-wire.ts";
import { NixDaemon } from "./daemon.ts";
import { explain } from "./errors.ts";
import { findProgram, run } from "../process.ts";

/** What is put into the store. */
export interface Addition {
  /** Of the store path, behind its hash. */
  readonly name: string;
  readonly tree: Tree;
  readonly files: FileKind;
}

/**
 * The store path that an addition has, which follows from its bytes and is now in the store. Until
 * `keep` has ended, no collection takes it where a daemon works.
 *
 * @param scratch - a directory for a copy, where there is no daemon
 * @param keep - is given the store path, and pins it if it is to stay
 * @throws Failure `closure/failed`, `closure/unavailable`, `write/refused`; what `keep` throws
 */
export async function addToStore(
  addition: Addition,
  scratch: string,
  timeoutMs: number,
  keep: (storePath: string) => Promise<void>,
): Promise<string> {
  const { name, tree, files } = addition;
  const nar = encodeNar(tree, files);
  const expected = contentAddressedPath(name, nar);
  // Until it is pinned, the connection's temporary root keeps it.
  using daemon = await NixDaemon.open(elapsedMs() + timeoutMs).catch(explained);
  const timer = setTimeout(() => daemon?.[Symbol.dispose](), timeoutMs);
  try {
    const viaDaemon = daemon && (await addThroughDaemon(daemon, name, nar, expected));
    const storePath = viaDaemon ?? (await addWithProgram(addition, scratch, expected, timeoutMs));
    if (storePath !== expected) {
      throw new Failure("closure/failed", `Nix names ${name} ${storePath}, not ${expected}`);
    }
  } finally {
    clearTimeout(timer);
  }
  await keep(expected);
  return expected;
}

/** The store path; undefined if the daemon speaks another protocol. */
async function addThroughDaemon(
  daemon: NixDaemon,
  name: string,
  nar: Uint8Array,
  expected: string,
): Promise<string | undefined> {
  try {
    const { succeeded, storePath, words } = await daemon.add(name, nar);
    if (succeeded) return storePath;
    throw explain(expected, words);
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
  { name, tree, files }: Addition,
  scratch: string,
  expected: string,
  timeoutMs: number,
): Promise<string> {
  const refuse = (error: unknown): never => {
    throw refused(scratch, error);
  };
  const directory = await mkdtemp(join(scratch, ".sealaunch-")).catch(refuse);
  try {
    const mode = files === "executable" ? 0o555 : 0o444;
    await writeTree(join(directory, name), tree, mode).catch(refuse);
    const nixStore = await findProgram("nix-store");
    const words = ["--add", join(directory, name)];
    const { exitCode, stdout, stderr } = await run(nixStore, words, { timeoutMs });
    if (exitCode !== 0) throw explain(expected, stderr);
    return new TextDecoder().decode(stdout).trim();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function writeTree(place: string, tree: Tree, mode: number): Promise<void> {
  await mkdir(place);
  for (const [name, node] of tree) {
    const path = join(place, name);
    if (node instanceof Uint8Array) {
      await writeFile(path, node);
      await chmod(path, mode);
    } else await writeTree(path, node, mode);
  }
}
