import { Failure } from "../failure.ts";
import { isVariableName } from "../service/variable.ts";

/** One string of an environment, in bytes: names and values needn't be text. */
export interface Variable {
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

const equalsSign = 0x3d;

/** The variables in `/proc/PID/environ`: strings that end in NUL (proc(5)). */
export function parseEnvironment(bytes: Uint8Array): Variable[] {
  const variables: Variable[] = [];
  for (let from = 0; from < bytes.length;) {
    const found = bytes.indexOf(0, from);
    const end = found < 0 ? bytes.length : found;
    const text = bytes.subarray(from, end);
    const split = text.indexOf(equalsSign);
    if (split > 0)
      variables.push({ name: text.subarray(0, split), value: text.subarray(split + 1) });
    from = end + 1;
  }
  return variables;
}

/** The name of a variable, one character a byte. */
export function nameOf({ name }: Variable): string {
  return Buffer.from(name).toString("latin1");
}

// What ld.so(8) ignores in secure-execution mode, since it steers the loader or the C library of
// every program that root would run, and functions that bash would import. Without TMPDIR and the
// like, which no program here uses.
const unsafe =
  /^(?:LD_.*|GLIBC_TUNABLES|GCONV_PATH|GETCONF_DIR|HOSTALIASES|LOCALDOMAIN|LOCPATH|MALLOC_.*|NIS_PATH|NLSPATH|RESOLV_HOST_CONF|RES_OPTIONS|BASH_FUNC_.*)$/u;

/**
 * Returns if no variable steers what root is about to run.
 *
 * @throws Failure `environment/unsafe`; the message has names, never values
 */
export function refuseUnsafe(environment: readonly Variable[]): void {
  const names = environment.map(nameOf).filter((name) => unsafe.test(name));
  if (names.length === 0) return;
  throw new Failure(
    "environment/unsafe",
    `root launches, and variables that steer the dynamic loader are set: ${names.join(", ").slice(0, 200)}`,
  );
}

// Shells change these, or make them up, so that they are set again to the bytes they had.
const restored = ["PWD", "OLDPWD", "PS1", "PS2", "PS4"];
// A shell can't be told to give these any value.
const bashOwn = new Set(
  "BASH BASHOPTS BASHPID BASH_ARGC BASH_ARGV BASH_ARGV0 BASH_CMDS BASH_COMMAND BASH_LINENO BASH_SOURCE BASH_SUBSHELL BASH_VERSINFO BASH_VERSION COMP_WORDBREAKS DIRSTACK EPOCHREALTIME EPOCHSECONDS EUID FUNCNAME GROUPS HISTCMD POSIXLY_CORRECT RANDOM SECONDS SHELLOPTS SRANDOM UID".split(
    " ",
  ),
);
const shellsOwn = new Set(["IFS", "OPTIND", "OPTARG", "LINENO", "PPID", "SHLVL", "_", ...bashOwn]);

/**
 * Whether a credential may become the variable of that name: not one that shells or the launch give
 * a value, nor one that steers what root still runs before privileges are dropped.
 */
export function mayBeAsked(name: string): boolean {
  const isTaken = restored.includes(name) || name === "CREDENTIALS_DIRECTORY";
  return isCarried(name) && !isTaken && !unsafe.test(name);
}

/** Whether a POSIX shell can pass a variable of that name on. */
function isCarried(name: string): boolean {
  return isVariableName(name) && !shellsOwn.has(name) && !name.startsWith("sealaunch_");
}

/** What has to be done so that a program that the shell becomes has the environment meant for it. */
export interface EnvironmentChange {
  /** To be exported by the shell: of these no value is ever in an argument. */
  readonly exported: readonly Variable[];
  /** To be taken out: the shell made them up. */
  readonly unset: readonly string[];
  /** For env(1): a shell can't carry these. */
  readonly passed: readonly Variable[];
}

/**
 * How the original environment comes through the shell unchanged, with `added` on top.
 *
 * @param added - names are identifiers; they replace originals of the same name
 */
export function planEnvironment(
  original: readonly Variable[],
  added: readonly Variable[],
): EnvironmentChange {
  const replaced = new Set(added.map(nameOf));
  const kept = original.filter((variable) => !replaced.has(nameOf(variable)));
  const names = new Set(original.map(nameOf));
  return {
    exported: [...kept.filter((variable) => restored.includes(nameOf(variable))), ...added],
    unset: restored.filter((name) => !names.has(name) && !replaced.has(name)),
    passed: kept.filter((variable) => !isCarried(nameOf(variable))),
  };
}
