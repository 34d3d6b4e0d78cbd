import { Failure } from "../failure.ts";
import type { EtcdSettings } from "./etcd-settings.ts";
import { nameOf } from "./etcd-user.ts";

// etcd3 throws gRPC's errors, whose text begins with the status's number. Nothing of that text is
// repeated: who answers may be an enemy, and has been sent a password.

/** Why one member gave no answer that counts, so that another may: what is wrong, in a few words. */
export interface Fault {
  readonly endpoint: string;
  readonly kind: "deadline" | "connection" | "leader";
  readonly what: string;
}

/** The numbers of gRPC's statuses that decide something. */
const status = {
  cancelled: 1,
  unknown: 2,
  deadline: 4,
  exhausted: 8,
  internal: 13,
  unavailable: 14,
} as const;

/** What etcd says, and what that is here; the first that fits. */
const answers = [
  [/permission denied/u, "source/forbidden", "doesn't let USER do that below PREFIX"],
  [/authentication failed/u, "source/authentication", "refuses USER or the password"],
  [/user name (?:is empty|not found)/u, "source/authentication", "doesn't know USER"],
  [/auth token/u, "source/authentication", "doesn't accept its own token"],
  [/authentication is not enabled/u, "source/authentication", "asks nobody for a password"],
  [/database space exceeded/u, "source/full", "has no space left (NOSPACE)"],
  [/request is too large|larger than max \(\d+ vs\. \d+\)$/u, "source/too-large", ""],
  [/too many operations/u, "source/too-large", ""],
] as const;

/**
 * What an error of etcd3 is.
 *
 * @param what - names what was to be done, for a failure that no other member would mend
 */
export function faultOf(
  error: unknown,
  settings: EtcdSettings,
  endpoint: string,
  what: string,
): Fault | Failure {
  const { file, prefix } = settings;
  const text = error instanceof Error ? error.message : "";
  const found = answers.find(([pattern]) => pattern.test(text));
  if (found !== undefined) {
    const [, code, pattern] = found;
    const says = pattern.replace("USER", userOf(settings)).replace("PREFIX", prefix);
    const message =
      code === "source/too-large"
        ? `etcd:${file} takes no request as large as this: ${what}`
        : `etcd:${file} ${says}: ${what}`;
    return new Failure(code, message, undefined, error);
  }
  const number = Number(/(?:^|: )(\d+) [A-Z_]+: /u.exec(text)?.[1]);
  // "Unknown" is what etcd says when it waited for the other members in vain.
  const isAlone = /no leader|leader changed|request timed out|server stopped/u.test(text);
  if (isAlone || number === status.unknown)
    return { endpoint, kind: "leader", what: "has no leader to ask" };
  if (number === status.exhausted) {
    const message = `etcd:${file} answers with more than is taken: ${what}`;
    return new Failure("source/hostile", message, undefined, error);
  }
  if (number === status.deadline) return { endpoint, kind: "deadline", what: "doesn't answer" };
  if ([status.unavailable, status.cancelled, status.internal].some((one) => one === number))
    return { endpoint, kind: "connection", what: "can't be reached" };
  // A client that was closed since it took too long, or whatever else is no answer.
  if (Number.isNaN(number)) return { endpoint, kind: "connection", what: "can't be reached" };
  const message = `etcd:${file} answers with gRPC's status ${String(number)}: ${what}`;
  return new Failure("source/failed", message, undefined, error);
}

/** All members' faults as one failure. */
export function failureOfAll(
  { file, deadlineMs }: EtcdSettings,
  faults: readonly (Fault | Failure)[],
  what: string,
): Failure {
  const certificate = faults.find((fault) => fault instanceof Failure);
  if (certificate !== undefined) return certificate;
  const members = faults.flatMap((fault) =>
    fault instanceof Failure ? [] : [`${fault.endpoint} ${fault.what}`],
  );
  const isSlow = faults.every((fault) => !(fault instanceof Failure) && fault.kind === "deadline");
  const within = isSlow ? ` within ${String(deadlineMs / 1000)} s` : "";
  return new Failure(
    isSlow ? "source/timeout" : "source/unreachable",
    `etcd:${file}: ${members.join(", ")}${within}: ${what}`,
  );
}

/** As whom etcd sees us, in words. */
function userOf(settings: EtcdSettings): string {
  const name = nameOf(settings);
  return name === undefined ? "who has no name" : `user ${name}`;
}
