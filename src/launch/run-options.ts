import { parseArgs } from "node:util";
import { Failure } from "../failure.ts";
import { parseName } from "../formats/names.ts";
import { parseOnChange, type OnChange } from "../service/on-change.ts";
import {
  isInStore,
  parseStoreFile,
  parseStorePath,
  type StoreObject,
} from "../service/store-path.ts";
import { isVariableName } from "../service/variable.ts";
import { mayBeAsked } from "./environment.ts";
import type { BundleRequest } from "./wanted-statement.ts";

/** One option of `run`; the command line's help is made from the same table. */
export interface RunOption {
  readonly name: string;
  /** What stands for its value in help; undefined for a switch. */
  readonly value?: string;
  readonly repeats?: boolean;
  readonly help: string;
}

/** Every option of `run`. Parsed here and not by the command line, which takes longer to load. */
export const runOptions = [
  {
    name: "in-place",
    help: "launch without an agent, as root: mount, drop privileges, become the service",
  },
  {
    name: "plain",
    value: "dir",
    help: "launch with credentials from a directory, for local work; not as root",
  },
  {
    name: "bundle",
    value: "name",
    repeats: true,
    help: "a bundle whose credentials the service gets; NAME@17+ refuses generations below 17, NAME=/nix/store/… takes that which is in a store path",
  },
  {
    name: "credential",
    value: "name",
    repeats: true,
    help: "only this credential of the bundles; repeat for several",
  },
  {
    name: "env",
    value: "variable",
    repeats: true,
    help: "also set an environment variable to a credential: VARIABLE or VARIABLE=CREDENTIAL",
  },
  {
    name: "render",
    value: "name=file",
    repeats: true,
    help: "one more credential: a file of the Nix store, with @CREDENTIAL@ replaced by its value",
  },
  { name: "user", value: "user", help: "the user that the service runs as, by name or number" },
  { name: "group", value: "group", help: "its group, instead of the user's own" },
  {
    name: "supplementary-group",
    value: "group",
    repeats: true,
    help: "one more group, instead of those the user belongs to",
  },
  {
    name: "ambient-capability",
    value: "capability",
    repeats: true,
    help: "a capability that the service keeps, such as net_bind_service",
  },
  { name: "no-new-privileges", help: "let nothing that the service starts gain privileges" },
  {
    name: "unit",
    value: "name",
    help: "the unit that this is; refused unless the bundles name it",
  },
  {
    name: "fresh",
    help: "insist on what the source has now, where the node keeps a mirror; else what it has will do",
  },
  {
    name: "on-change",
    value: "what",
    help: "under systemd, when there are newer values: nothing (the default), restart, or restart:3/60, which is on at most 3 nodes of a pool within 60 seconds; from systemd 260 on also reload, signal or signal=USR1",
  },
  {
    name: "credentials-dir",
    value: "dir",
    help: "where credentials go if nothing can be mounted: a directory on tmpfs or ramfs",
  },
  {
    name: "closure-timeout",
    value: "seconds",
    help: "how long fetching the closure may take (300)",
  },
  { name: "config", value: "file", help: "node.json, instead of /etc/sealaunch/node.json" },
] as const satisfies readonly RunOption[];

/** What a `run` asks for, checked. */
export interface RunRequest {
  readonly bundles: readonly BundleRequest[];
  readonly credentials: readonly string[] | undefined;
  /** Credentials by the variable that they become. */
  readonly variables: ReadonlyMap<string, string>;
  /** Templates by the credential that they become. */
  readonly renders: ReadonlyMap<string, StoreObject>;
  /** Whether a mirror won't do that can't be brought up to date. */
  readonly fresh: boolean;
  /** What becomes of the running service when there are newer values; nothing if undefined. */
  readonly onChange: OnChange | undefined;
  readonly user: string | undefined;
  readonly group: string | undefined;
  readonly supplementaryGroups: readonly string[];
  readonly ambientCapabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  readonly unit: string | undefined;
  readonly credentialsDirectory: string | undefined;
  readonly plainDirectory: string | undefined;
  readonly closureTimeoutMs: number;
  readonly configuration: string | undefined;
  readonly program: string;
}

const isCapability = /^[a-z_]{1,40}$/u;

/**
 * The request in the arguments after `run`, program and all.
 *
 * @throws Failure `usage/invalid`, `usage/bad-name`
 */
export function parseRun(args: readonly string[]): RunRequest {
  const end = args.indexOf("--");
  const program = args[end + 1];
  if (end < 0 || program === undefined) {
    throw new Failure(
      "usage/invalid",
      "there is no program to run",
      "sealaunch run … -- /nix/store/…/bin/PROGRAM ARG…",
    );
  }
  return parseRequest(args.slice(0, end), program);
}

/**
 * The request in the options of `run`, or of `check`, which has no program.
 *
 * @throws Failure `usage/invalid`, `usage/bad-name`, `closure/not-in-store`
 */
export function parseRequest(options: readonly string[], program: string): RunRequest {
  const values = parseOptions(options);
  const one = (name: string): string | undefined => values.get(name)?.[0];
  const all = (name: string): readonly string[] => values.get(name) ?? [];
  const unit = one("unit");
  const onChange = parseOnChange(one("on-change") ?? "nothing");
  const [variable] = all("env");
  if (variable !== undefined && onChange !== undefined && onChange.how !== "restart") {
    throw new Failure(
      "usage/invalid",
      `--on-change ${onChange.how} with --env ${/^[A-Za-z0-9_]*/u.exec(variable)?.[0] ?? ""}: nobody can change the variables of a process that runs`,
      "let the program read the file $CREDENTIALS_DIRECTORY/NAME, or let a change restart it",
    );
  }
  return {
    bundles: all("bundle").map(parseBundle),
    credentials: values.get("credential")?.map((name) => parseName("credential", name)),
    variables: new Map(all("env").map(parseVariable)),
    renders: new Map(all("render").map(parseRender)),
    fresh: values.has("fresh"),
    onChange,
    user: one("user"),
    group: one("group"),
    supplementaryGroups: all("supplementary-group"),
    ambientCapabilities: all("ambient-capability").map(parseCapability),
    noNewPrivileges: values.has("no-new-privileges"),
    unit: unit === undefined ? undefined : parseName("unit", unit),
    credentialsDirectory: one("credentials-dir"),
    plainDirectory: one("plain"),
    closureTimeoutMs: parseSeconds(one("closure-timeout") ?? "300") * 1000,
    configuration: one("config"),
    program,
  };
}

function parseOptions(args: readonly string[]): ReadonlyMap<string, string[]> {
  const options: readonly RunOption[] = runOptions;
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      options.map(({ name, value }) => [
        name,
        { type: value === undefined ? "boolean" : "string" },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== "option") {
      throw new Failure(
        "usage/invalid",
        "an argument before '--' is no option (not repeated here, it may be a secret)",
      );
    }
    const option = options.find(({ name }) => name === token.name);
    if (option === undefined || !token.rawName.startsWith("--")) {
      throw new Failure(
        "usage/invalid",
        `unknown option ${/^-{1,2}[a-z-]*/u.exec(token.rawName)?.[0] ?? ""}`,
        "see 'sealaunch run --help'",
      );
    }
    const before = values.get(option.name);
    if ((token.value === undefined) !== (option.value === undefined)) {
      throw new Failure(
        "usage/invalid",
        `option --${option.name} ${option.value === undefined ? "takes no value" : "needs a value"}`,
      );
    }
    if (before !== undefined && option.repeats !== true) {
      throw new Failure("usage/invalid", `option --${option.name} is given twice`);
    }
    values.set(option.name, [...(before ?? []), token.value ?? ""]);
  }
  return values;
}

function parseBundle(text: string): BundleRequest {
  if (isInStore(text)) {
    throw new Failure(
      "usage/invalid",
      `--bundle ${text.slice(0, 200)} doesn't say which bundle that is to be`,
      "--bundle NAME=/nix/store/…: what the path has is compared with the name",
    );
  }
  const [asked, path] = splitOnce(text, "=");
  const [, name = "", floor] = /^(.*?)(?:@([0-9]{1,15})\+)?$/u.exec(asked) ?? [];
  const bundle = parseName("bundle", name);
  return {
    bundle,
    floor: Number(floor ?? 0),
    path: path === undefined ? undefined : parseStorePath(path),
  };
}

function splitOnce(text: string, at: string): [first: string, rest: string | undefined] {
  const index = text.indexOf(at);
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + at.length)];
}

function parseVariable(text: string): [variable: string, credential: string] {
  const [variable = "", credential = variable] = text.split("=", 2);
  if (!isVariableName(variable)) {
    throw new Failure(
      "usage/bad-name",
      "an --env doesn't begin with a variable's name",
      "--env VARIABLE or --env VARIABLE=CREDENTIAL",
    );
  }
  if (!mayBeAsked(variable)) {
    throw new Failure(
      "usage/bad-name",
      `variable ${variable} means something to the launcher, or to what root runs`,
      "choose another name, and let a script in the Nix store set this one",
    );
  }
  return [variable, parseName("credential", credential)];
}

function parseRender(text: string): [credential: string, template: StoreObject] {
  const [, name = "", path = ""] = /^([^=]*)=(.*)$/su.exec(text) ?? [];
  return [parseName("credential", name), parseStoreFile(path)];
}

function parseCapability(text: string): string {
  const name = text.toLowerCase().replace(/^cap_/u, "");
  if (isCapability.test(name)) return name;
  throw new Failure(
    "usage/invalid",
    `${JSON.stringify(text.slice(0, 40))} is no capability`,
    "name one of capabilities(7), such as net_bind_service",
  );
}

function parseSeconds(text: string): number {
  if (/^[1-9][0-9]{0,5}$/u.test(text)) return Number(text);
  throw new Failure(
    "usage/invalid",
    `${JSON.stringify(text.slice(0, 20))} is no number of seconds`,
  );
}
