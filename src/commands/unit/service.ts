import { basename, dirname, resolve } from "node:path";
import { Failure } from "../../failure.ts";
import { decodeServiceFile, type ServiceFile } from "../../formats/service-file.ts";
import { buildClosure, evaluateClosure } from "../../host/nix/building.ts";
import { inClosure } from "../../service/closure.ts";
import { parseProgram, parseStoreFile } from "../../service/store-path.ts";
import type { Context } from "../context.ts";
import { readFileOf } from "../given-file.ts";

/** A service, what it runs named by its store path. */
export interface OpenedService extends AsyncDisposable {
  readonly service: ServiceFile;
  /** All that a start of it takes from the store. Until this is disposed of, what was built stays there. */
  readonly storePaths: readonly string[];
}

/** How what a service runs comes to be known. */
export interface Opening {
  /** Whether it is built, where the file says of what; else Nix only says which store path it would be. */
  readonly isBuilt: boolean;
  /** The root of the store, if it isn't this machine's. */
  readonly root?: string | undefined;
}

/**
 * The service of a service file.
 *
 * @throws Failure `file/absent`, `service/malformed`, `closure/not-in-store`, `closure/not-built`
 */
export async function openService(
  context: Context,
  path: string,
  { isBuilt, root }: Opening,
): Promise<OpenedService> {
  const file = decodeServiceFile(await readFileOf(context, path), basename(path));
  const { closure } = file;
  if (typeof closure !== "object") {
    const service = closure === undefined ? file : inClosure(file, closure);
    return openedOf(checked(service, path), () => Promise.resolve());
  }
  const building = {
    directory: dirname(resolve(context.directory, path)),
    environment: context.environment,
    root,
    isShown: context.isWatched && !context.json,
  };
  if (!isBuilt) {
    const storePath = await evaluateClosure(closure, building);
    return openedOf(checked(inClosure(file, storePath), path), () => Promise.resolve());
  }
  const built = await buildClosure(closure, building);
  try {
    const service = checked(inClosure(file, built.storePath), path);
    return openedOf(service, async () => {
      await built[Symbol.asyncDispose]();
    });
  } catch (error) {
    await built[Symbol.asyncDispose]();
    throw error;
  }
}

function openedOf(service: ServiceFile, close: () => Promise<void>): OpenedService {
  const sealed = service.bundles.flatMap((bundle) => /=(.*)$/u.exec(bundle)?.[1] ?? []);
  const templates = Object.values(service.renders).map((file) => parseStoreFile(file).storePath);
  const { storePath } = parseProgram(service.program);
  const storePaths = [...new Set([storePath, ...templates, ...sealed])];
  return { service, storePaths, [Symbol.asyncDispose]: close };
}

function checked(service: ServiceFile, path: string): ServiceFile {
  const { storePath } = parseProgram(service.program);
  const [reload] = service.reload;
  // The store keeps for a unit what it is started with.
  if (reload !== undefined && !reload.startsWith(`${storePath}/`)) {
    throw new Failure(
      "service/malformed",
      `${basename(path)}: reload: is ${reload}, and what the service runs is ${storePath}`,
    );
  }
  // The wrapper compares with what PID 1 has, which doesn't resolve variables.
  if (!/[$\p{Cc}]/u.test(service.program)) return service;
  throw new Failure("service/malformed", `${basename(path)}: program: has a '$' in its path`);
}
