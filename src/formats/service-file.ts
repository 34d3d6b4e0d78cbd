import * as z from "zod/mini";
import { decodeConfiguration } from "./canonical.ts";

// A service file is written by people, and editors complete it by its JSON Schema; so what a field may
// hold is said by patterns, where one can say it.

const text = (pattern: RegExp, what: string): z.ZodMiniType<string, string> =>
  z.string().check(z.regex(pattern, `is no ${what}`));

/** What a unit file can have in a line as it stands. */
const line = text(/^[^\x00-\x1f\x7f]*(?<!\\)$/u, "single line without control characters");
const anyText = z.string().check(
  z.regex(/^[^\0]*$/u, "has a NUL"),
  z.refine((value) => value.isWellFormed(), "is no Unicode text"),
);
/** What systemd takes as a variable's value. */
const value = text(/^[^\x00-\x08\x0b-\x1f\x7f]*$/u, "text without control characters");
const path = text(/^\/[^\x00-\x1f\x7f]*(?<!\\)$/u, "absolute path");
const user = text(/^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,30}$/u, "name or number of a user or group");
const seconds = z.int().check(z.minimum(1), z.maximum(86_400));
const name = text(/^[a-zA-Z0-9][a-zA-Z0-9:_.-]*$/u, "unit's name without its '.service'");
const unitName = text(/^[a-zA-Z0-9:_.\\@-]+\.[a-z]+$/u, "unit's name");
const socket = text(/^[a-zA-Z0-9:_.\\@-]+\.socket$/u, "socket unit's name");
const bundle = text(/^[a-z0-9][a-z0-9._/-]*(@[0-9]{1,15}\+)?$/u, "NAME or NAME@FLOOR+");
const credential = text(/^[a-zA-Z0-9][a-zA-Z0-9._-]*$/u, "credential's name");
const variable = /^[A-Za-z_][A-Za-z0-9_]*$/u;
const env = text(
  /^[A-Za-z_][A-Za-z0-9_]*(=[a-zA-Z0-9][a-zA-Z0-9._-]*)?$/u,
  "VARIABLE or VARIABLE=CREDENTIAL",
);
const directory = text(/^[a-zA-Z0-9_][a-zA-Z0-9_./-]*$/u, "path below /var/lib or the like");
const capability = text(/^[a-z][a-z_]+$/u, "capability such as net_bind_service");
const family = text(/^AF_[A-Z0-9]+$/u, "address family such as AF_INET");
const setting = text(/^[A-Z][A-Za-z0-9]*=[^\x00-\x1f\x7f]*(?<!\\)$/u, "KEY=VALUE");

const list = <T>(item: z.ZodMiniType<T, T>): z.ZodMiniDefault<z.ZodMiniArray<typeof item>> =>
  z._default(z.array(item), []);

/** One service, whatever places and starts it (docs/units.md). */
const ServiceFile = z
  .strictObject({
    /** Where an editor finds the schema. */
    $schema: z.optional(z.string()),
    version: z.literal(1),
    /** The unit is NAME.service. */
    name,
    description: z.optional(line),
    /** Whom to ask about it. */
    owner: z.optional(line),
    /** The program, below a store path. */
    program: path,
    arguments: list(anyText),
    /** `NAME` or `NAME@FLOOR+`. */
    bundles: list(bundle),
    /** Which credentials of the bundles; all of them unless given. */
    credentials: z.optional(z.array(credential)),
    /** Credentials that become variables: `VARIABLE` or `VARIABLE=CREDENTIAL`. */
    env: list(env),
    /** Files of the store, by the credential that they become with `@CREDENTIAL@` filled in. */
    renders: z._default(z.record(credential, path), {}),
    /** Variables that are no secret. */
    environment: z._default(z.record(text(variable, "variable's name"), value), {}),
    type: z._default(z.enum(["exec", "notify", "forking", "oneshot", "dbus", "idle"]), "exec"),
    pidFile: z.optional(path),
    busName: z.optional(text(/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+$/u, "bus name")),
    /** A user of its own, made for it, unless one is named. */
    user: z.optional(user),
    group: z.optional(user),
    supplementaryGroups: list(user),
    /** Seconds, of which fetching the closure is a part. */
    startTimeout: z._default(seconds, 300),
    stopTimeout: z._default(seconds, 90),
    restart: z._default(
      z.enum([
        "no",
        "on-success",
        "on-failure",
        "on-abnormal",
        "on-abort",
        "on-watchdog",
        "always",
      ]),
      "on-failure",
    ),
    /** Socket units that hand it their sockets. */
    sockets: list(socket),
    /** Units to be started before it, if they are there. */
    after: list(unitName),
    capabilities: list(capability),
    /** Address families that it may use; without one but AF_UNIX it sees no network at all. */
    addressFamilies: z._default(z.array(family), ["AF_UNIX"]),
    /** Directories of its own below /var/lib, /var/cache, /var/log and /run. */
    stateDirectories: list(directory),
    cacheDirectories: list(directory),
    logsDirectories: list(directory),
    runtimeDirectories: list(directory),
    /** Other paths that it may write. */
    writablePaths: list(path),
    /** Paths that it sees though they are hidden: in /home, say. */
    readOnlyPaths: list(path),
    /** Whether it writes code at run time, as Node, Java and PyPy do. */
    jit: z._default(z.boolean(), false),
    wantedBy: z._default(z.array(unitName), ["multi-user.target"]),
    /** Lines for [Unit] and [Service] that come last, so that they count. */
    unit: list(setting),
    service: list(setting),
  })
  .check(
    z.refine(({ type, pidFile }) => type === "forking" || pidFile === undefined, {
      path: ["pidFile"],
      error: "is only for type forking",
    }),
    z.refine(({ type, busName }) => (type === "dbus") === (busName !== undefined), {
      path: ["busName"],
      error: "belongs to type dbus, and type dbus to it",
    }),
    z.refine(({ group, user }) => group === undefined || user !== undefined, {
      path: ["group"],
      error: "needs a user",
    }),
    z.refine(({ service }) => !service.some((one) => /^(?:Exec|LoadCredential)/u.test(one)), {
      path: ["service"],
      error: "has a command or a credential, which only 'program' and 'bundles' may name",
    }),
  );
export type ServiceFile = z.infer<typeof ServiceFile>;

/** @throws Failure `service/malformed`, naming the field */
export function decodeServiceFile(bytes: Uint8Array, what: string): ServiceFile {
  return decodeConfiguration(bytes, ServiceFile, what, "service/malformed");
}

/** The schema of service files, for editors. */
export function serviceFileSchema(): object {
  return z.toJSONSchema(ServiceFile, { io: "input" });
}
