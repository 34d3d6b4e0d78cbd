import { guardedRequest } from "../agent/wanted.ts";
import { textOf } from "../crypto/bytes.ts";
import { Failure } from "../failure.ts";
import type { ServiceFile } from "../formats/service-file.ts";
import type { UnitCommand } from "../host/systemd/systemd.ts";
import { parseRequest, type RunRequest } from "../launch/run-options.ts";
import { inClosure } from "../service/closure.ts";
import { parseCommandLine, type Command } from "../service/command-line.ts";
import { agentSocket } from "../service/delivery.ts";
import type { CredentialLines } from "../service/examine-credentials.ts";
import { guardOptions } from "../service/guard.ts";
import type { LoadedCredential } from "../service/unit-settings.ts";
import { listOf, type Unit } from "../service/unit-file.ts";
import { wayOf, type Way } from "./way.ts";

/** What a unit asks for, as its files say it. */
export interface UnitAsks {
  readonly unit: string;
  readonly way: Way;
  /** Of each command that asks. */
  readonly requests: readonly RunRequest[];
  /** The credentials that systemd is to load; undefined where `sealaunch unit` will write the lines. */
  readonly loads: CredentialLines | undefined;
}

/**
 * What a unit's files ask for; undefined if they ask for nothing of Sealaunch's.
 *
 * @throws Failure `unit/malformed`, `unit/not-guarded`; `unit/unresolved` where a specifier says it that is
 *   known only on the machine; `usage/…`, `closure/not-in-store` for what the wrapper doesn't take
 */
export function asksOfUnit(unit: string, file: Unit): UnitAsks | undefined {
  const commands = commandsOf(unit, file);
  const loads = linesOf(unit, file);
  const way = wayOf({ commands });
  if (way === undefined) {
    const asked = loads.loadCredentials.find(({ from }) => from === agentSocket);
    if (asked === undefined) return undefined;
    throw new Failure(
      "unit/not-guarded",
      `${unit} loads ${asked.name} from ${agentSocket}, and no command of it is 'sealaunch run' or 'sealaunch check'`,
    );
  }
  const requests = commands
    .map(({ words }) => guardedRequest(resolved(unit, words)))
    .filter((request) => request !== undefined);
  return { unit, way, requests, loads: way === "agent" ? loads : undefined };
}

/** The commands of a unit's file that are loaded credentials for. @throws Failure `unit/malformed` */
export function commandsOf(
  unit: string,
  file: Unit,
  keys: readonly string[] = ["ExecStartPre", "ExecStart"],
): UnitCommand[] {
  return keys
    .flatMap((key) => listOf(file, "Service", key).map((line) => [key, line] as const))
    .flatMap(([key, line]) => parseCommandLine(line, `${unit}: ${key}=`))
    .map(commandOf);
}

/** What the unit of a service file will ask for. @throws Failure as the wrapper does */
export function asksOfService(service: ServiceFile): UnitAsks {
  const { bundles, credentials = [], env: variables } = service;
  // What they ask for is the same wherever the closure will be: nothing is built to know that.
  const renders = new Map(Object.entries(inClosure(service, unbuilt).renders));
  const options = guardOptions({ wrapper: "", bundles, credentials, variables, renders }, "run");
  const requests = [parseRequest(options, service.program)];
  return { unit: `${service.name}.service`, way: "agent", requests, loads: undefined };
}

const unbuilt = `/nix/store/${"0".repeat(32)}-unbuilt`;

/** A command as PID 1 will have it: where one has another name for itself, that isn't told. */
function commandOf({ prefix, program, words }: Command): UnitCommand {
  const given = words.map(({ bytes }) => textOf(bytes) ?? "");
  const path = program === "sealaunch" ? "/usr/bin/sealaunch" : program;
  return { words: [path, ...(prefix.includes("@") ? given.slice(1) : given)] };
}

/** The words that are the wrapper's, specifiers resolved as far as the unit's name has them (systemd.unit(5)). */
function resolved(unit: string, words: readonly string[]): string[] {
  const end = words.indexOf("--");
  const stem = unit.replace(/\.[a-z]+$/u, "");
  const [prefix = "", instance] = stem.split("@", 2);
  const known: Readonly<Record<string, string | undefined>> = {
    "%": "%",
    n: unit,
    N: stem,
    p: prefix,
    i: instance === "" ? undefined : (instance ?? ""),
  };
  return words.map((word, index) => {
    if (end >= 0 && index > end) return word;
    return word.replace(/%(.)/gu, (specifier, letter: string) => {
      const value = known[letter];
      if (value !== undefined) return value;
      throw new Failure(
        "unit/unresolved",
        `${unit} asks by ${specifier}, which is known only where it runs`,
      );
    });
  });
}

function linesOf(unit: string, file: Unit): CredentialLines {
  const loaded = (key: string): LoadedCredential[] =>
    listOf(file, "Service", key).map((line) => {
      const [, name = "", from = name] = /^([^:]*)(?::(.*))?$/su.exec(line) ?? [];
      return { name, from };
    });
  return {
    unit,
    loadCredentials: loaded("LoadCredential"),
    loadEncrypted: loaded("LoadCredentialEncrypted"),
    setCredentials: loaded("SetCredential").map(({ name }) => name),
  };
}
