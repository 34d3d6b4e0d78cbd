import { readRoster } from "../../cluster/cluster.ts";
import { findRepository, openRepository, repositoryFile } from "../../cluster/configuration.ts";
import { Failure } from "../../failure.ts";
import { readWrapper } from "../../host/package.ts";
import { parseRequest, type RunRequest } from "../../launch/run-options.ts";
import { selectFrom } from "../../launch/select.ts";
import { readWanted } from "../../launch/wanted-statement.ts";
import { checkGuard, guardOptions, type Guard } from "../../service/guard.ts";
import { wrapperPath } from "../../service/wrapper.ts";
import type { Context } from "../context.ts";

/** What a unit is to be given, as options and service files say it. */
export interface Asked {
  readonly bundles: readonly string[];
  /** All credentials of the bundles if undefined. */
  readonly credentials: readonly string[] | undefined;
  readonly variables: readonly string[];
  readonly renders: ReadonlyMap<string, string>;
  /** As `--on-change` takes it; nothing if undefined. */
  readonly onChange?: string | undefined;
  /** Whether credentials that are named will do where no repository is at hand. */
  readonly believesNames: boolean;
  /** Whether it is launched without an agent, as a command and not as a unit. */
  readonly inPlace?: boolean;
}

/**
 * What guards a unit's commands. Where a repository is at hand, it has the bundles, they name the unit,
 * and a start would get them today.
 *
 * @throws Failure `configuration/missing` if there is none and it is needed; whatever else would be
 *   refused at the start
 */
export async function guardFor(context: Context, unit: string, asked: Asked): Promise<Guard> {
  const script = await readWrapper();
  const wrapper = `${wrapperPath(script)}/bin/sealaunch`;
  const stated = { wrapper, ...asked, credentials: asked.credentials ?? [] };
  const request = parseRequest(guardOptions(stated, "run"), "");
  const credentials = await selectCredentials(context, unit, asked, request);
  for (const [variable, credential] of request.variables) {
    if (credentials.includes(credential) || asked.renders.has(credential)) continue;
    throw new Failure(
      "credential/missing",
      `variable ${variable} is to be credential ${credential}, and ${unit} gets ${credentials.join(", ") || "none"}`,
    );
  }
  const guard = { ...stated, credentials };
  if (asked.inPlace !== true) checkGuard(guard, unit);
  return guard;
}

async function selectCredentials(
  context: Context,
  unit: string,
  asked: Asked,
  { bundles }: RunRequest,
): Promise<readonly string[]> {
  if (bundles.length === 0) {
    const [name] = asked.credentials ?? [];
    if (name === undefined) return [];
    throw new Failure("usage/invalid", `credential ${name} is asked for, and no bundle to have it`);
  }
  const repository = await findRepository(context.directory, context.configuration);
  if (repository === undefined) {
    if (asked.believesNames && asked.credentials !== undefined) return asked.credentials;
    throw new Failure(
      "configuration/missing",
      `no ${repositoryFile} in ${context.directory} or above it, to look up ${bundles.map(({ bundle }) => bundle).join(", ")}`,
      asked.believesNames
        ? "run it in the repository, or name each credential: --credential NAME"
        : "run it in the repository, or name its file: --config …/sealaunch.json",
    );
  }
  const cluster = await openRepository(repository, context.now);
  const { record: roster } = await readRoster(cluster);
  const statements = await Promise.all(
    bundles.map(async (request) => {
      const asking =
        asked.inPlace === true ? { unit: undefined, inPlace: true } : { unit, inPlace: false };
      return (await readWanted(cluster, roster, asking, request)).read;
    }),
  );
  return [...selectFrom(statements, asked.credentials).values()].flat();
}
