import * as z from "zod/mini";
import { decodeConfiguration } from "./canonical.ts";
import { list, said, text } from "./described.ts";
import { reloadSignals } from "./reload-signals.ts";
import { closure } from "./service-closure.ts";
import { valueFiles } from "./service-values.ts";
import { health, instances, placement, resources } from "./service-placing.ts";

/** What a unit file can have in a line as it stands. */
const line = text(/^[^\x00-\x1f\x7f]*(?<!\\)$/u, "single line without control characters");
const anyText = z.string().check(
  z.regex(/^[^\0]*$/u, "has a NUL"),
  z.refine((value) => value.isWellFormed(), "is no Unicode text"),
);
/** What systemd takes as a variable's value. */
const value = text(/^[^\x00-\x08\x0b-\x1f\x7f]*$/u, "text without control characters");
const path = text(/^\/[^\x00-\x1f\x7f]*(?<!\\)$/u, "absolute path");
const pathInClosure = text(/^[^\x00-\x1f\x7f]+(?<!\\)$/u, "path");
const user = text(/^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,30}$/u, "name or number of a user or group");
const seconds = z.int().check(z.minimum(1), z.maximum(86_400));
const name = text(/^[a-zA-Z0-9][a-zA-Z0-9:_.-]*$/u, "unit's name without its '.service'");
const unitName = text(/^[a-zA-Z0-9:_.\\@-]+\.[a-z]+$/u, "unit's name");
const socket = text(/^[a-zA-Z0-9:_.\\@-]+\.socket$/u, "socket unit's name");
const bundle = text(
  /^[a-z0-9][a-z0-9._/-]*(@[0-9]{1,15}\+)?(=\/nix\/store\/[0-9a-df-np-sv-z]{32}-[0-9a-zA-Z+._?=-]{1,211})?$/u,
  "NAME, NAME@FLOOR+ or one of them with =/nix/store/…",
);
const bundleName = text(/^[a-z0-9][a-z0-9._/-]*$/u, "bundle's name");
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

/** One service, whatever places and starts it (docs/units.md). */
const ServiceFile = z
  .strictObject({
    $schema: said(z.optional(z.string()), "where an editor finds the schema"),
    version: said(z.literal(1), "of the fields: 1"),
    name: said(name, "its name; the unit is NAME.service"),
    description: said(z.optional(line), "one line, for people"),
    owner: said(z.optional(line), "whom to ask about it"),
    closure: said(
      closure,
      'what it runs: a store path, or what Nix builds it of, `{"file": "default.nix", "attribute": "dns"}` or `{"flake": ".#dns"}`',
    ),
    program: said(
      pathInClosure,
      "the program: its path in `closure`, such as bin/dns, or, without one, a path below a store path",
    ),
    arguments: said(list(anyText), "its arguments, each given as it is"),
    bundles: said(
      list(bundle),
      "bundles that it gets: NAME, NAME@17+ to refuse older ones, or NAME@17+=/nix/store/… for that in a store path",
    ),
    values: said(
      z._default(z.record(bundleName, valueFiles), {}),
      "by bundle, encrypted files from which `deploy` seals what has changed: `sops`, `agenix`, `credstore`",
    ),
    credentials: said(
      z.optional(z.array(credential)),
      "which credentials of the bundles; all of them if left out",
    ),
    env: said(list(env), "credentials that become variables too: VARIABLE or VARIABLE=CREDENTIAL"),
    renders: said(
      z._default(z.record(credential, pathInClosure), {}),
      "by name, files of the store, or of `closure`, that become credentials, with each @CREDENTIAL@ filled in",
    ),
    environment: said(
      z._default(z.record(text(variable, "variable's name"), value), {}),
      "variables that are no secret",
    ),
    type: said(
      z._default(z.enum(["exec", "notify", "forking", "oneshot", "dbus", "idle"]), "exec"),
      "how it tells that it has started; idle is exec",
    ),
    pidFile: said(z.optional(path), "with type forking"),
    busName: said(
      z.optional(text(/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+$/u, "bus name")),
      "with type dbus",
    ),
    user: said(
      z.optional(user),
      "the user that it runs as; one of its own, made for it, if left out",
    ),
    group: said(z.optional(user), "the user's own if left out"),
    supplementaryGroups: said(list(user), "further groups"),
    startTimeout: said(
      z._default(seconds, 300),
      "seconds that a start may take, fetching what it runs included",
    ),
    stopTimeout: said(z._default(seconds, 90), "seconds until it is killed"),
    restart: said(
      z._default(
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
      "when it is started again",
    ),
    onChange: said(
      z._default(z.enum(["nothing", "restart", "reload", "signal"]), "nothing"),
      "what becomes of it while it runs, when one of its credentials has a new value; reload and signal from systemd 260 on",
    ),
    reload: said(
      list(anyText),
      "with onChange reload: the command that tells it, a program of `closure`, or of the same store path, and its arguments",
    ),
    signal: said(
      z.optional(z.enum(reloadSignals)),
      "with onChange signal: which one it is sent (HUP)",
    ),
    spread: said(
      z.optional(
        z.strictObject({
          atOnce: z.optional(z.int().check(z.minimum(1), z.maximum(100_000))),
          seconds: z.optional(z.int().check(z.minimum(1), z.maximum(3600))),
        }),
      ),
      "with onChange restart, reload or signal: on at most `atOnce` nodes of a pool (a tenth of them) within `seconds` (30)",
    ),
    sockets: said(list(socket), "socket units that hand it their sockets"),
    after: said(list(unitName), "units that start before it, where both do"),
    capabilities: said(list(capability), "capabilities that it has, such as net_bind_service"),
    addressFamilies: said(
      z._default(z.array(family), ["AF_UNIX"]),
      "what it may open sockets of; with AF_UNIX alone it sees no network, and [] is none at all",
    ),
    stateDirectories: said(list(directory), "directories of its own below /var/lib"),
    cacheDirectories: said(list(directory), "directories of its own below /var/cache"),
    logsDirectories: said(list(directory), "directories of its own below /var/log"),
    runtimeDirectories: said(list(directory), "directories of its own below /run"),
    writablePaths: said(list(path), "other paths that it may write"),
    readOnlyPaths: said(
      list(path),
      "paths that it sees though they would be hidden, as below /home",
    ),
    jit: said(
      z._default(z.boolean(), false),
      "whether it writes code while it runs, as Node, Java and PyPy do",
    ),
    resources: said(
      z.optional(resources),
      "the most that it gets, and what is kept for it: `memory` in MiB, `cpu` in processors, such as 0.5",
    ),
    placement: said(
      z.optional(placement),
      "on which nodes a scheduler may place it: `where`, `whereNot`, `apartFrom`, `datacenters`",
    ),
    instances: said(
      instances,
      'how many of it a scheduler keeps running, or `"every node"`: one on each that it may be placed on',
    ),
    overlap: said(
      z._default(z.boolean(), true),
      "whether the new one may start while the old one still runs",
    ),
    health: said(
      z.optional(health),
      "where it answers if it is well: `port`, `path` if by HTTP, `interval` and `timeout` in seconds",
    ),
    wantedBy: said(
      z._default(z.array(unitName), ["multi-user.target"]),
      "what starts it at boot; [] where a scheduler does",
    ),
    unit: said(list(setting), "lines for [Unit], after all others"),
    service: said(list(setting), "lines for [Service], after all others, so that they count"),
  })
  .check(
    z.refine(({ closure, program }) => (closure === undefined) === program.startsWith("/"), {
      path: ["program"],
      error: "is a path in 'closure' if that is given, such as bin/dns, and else an absolute one",
    }),
    z.refine(
      ({ closure, renders }) =>
        closure !== undefined || Object.values(renders).every((file) => file.startsWith("/")),
      { path: ["renders"], error: "has a path in 'closure', and that isn't given" },
    ),
    z.refine(
      ({ bundles, values }) =>
        Object.keys(values).every((name) =>
          bundles.some((bundle) => bundle.split("@", 1)[0] === name),
        ),
      {
        path: ["values"],
        error: "names a bundle that isn't in 'bundles', or comes from a store path",
      },
    ),
    z.refine(({ onChange, env }) => /^(?:nothing|restart)$/u.test(onChange) || env.length === 0, {
      path: ["onChange"],
      error: "with 'env': nobody can change the variables of a process that runs; say restart",
    }),
    z.refine(({ onChange, reload }) => (onChange === "reload") === reload.length > 0, {
      path: ["reload"],
      error: "is the command by which onChange reload tells it, and belongs to that",
    }),
    z.refine(({ onChange, signal }) => onChange === "signal" || signal === undefined, {
      path: ["signal"],
      error: "is only for onChange signal",
    }),
    z.refine(({ onChange, spread }) => onChange !== "nothing" || spread === undefined, {
      path: ["spread"],
      error: "is for onChange restart, reload or signal",
    }),
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
export function serviceFileSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(ServiceFile, { io: "input" });
}
