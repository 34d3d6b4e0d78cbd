/**
 * Keeps the names of a zone in step with etcd: what stands below /dns/ZONE/ there is in the DNS, with
 * what it made itself taken away again. Its secrets are files in $CREDENTIALS_DIRECTORY: tsig.key, by
 * which the DNS server knows it, and etcd.pem, its certificate for etcd with the private half.
 */
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { firstLineOf, outputOf } from "./programs.ts";
import { parseName, parseRecords } from "./records.ts";
import { parseTransfer, planOf } from "./zone.ts";

const { values } = parseArgs({
  options: {
    zone: { type: "string" },
    server: { type: "string" },
    port: { type: "string", default: "53" },
    etcd: { type: "string" },
    "etcd-ca": { type: "string" },
  },
});
const { zone = "", server = "", port, etcd = "", "etcd-ca": etcdCa = "" } = values;
const { CREDENTIALS_DIRECTORY: credentials = "", NOTIFY_SOCKET: socket } = process.env;
for (const [what, given] of Object.entries({ zone, server, etcd, "etcd-ca": etcdCa })) {
  if (given === "") throw new Error(`--${what} is missing`);
}
if (credentials === "") throw new Error("there is no $CREDENTIALS_DIRECTORY");

const tsigKey = join(credentials, "tsig.key");
const etcdPem = join(credentials, "etcd.pem");
const prefix = `/dns/${zone}/`;
const etcdOptions = [
  ...[`--endpoints=${etcd}`, `--cacert=${etcdCa}`, `--cert=${etcdPem}`, `--key=${etcdPem}`],
  ...["--dial-timeout=5s", "--command-timeout=10s", "--write-out=json"],
];
// Whoever changes the zone by hand is put right within it, and a watch that hears nothing is begun anew.
const lookAgainMs = 60_000;
const longestPauseMs = 30_000;

const say = (line: string): void => void process.stderr.write(`${line}\n`);
/** As a warning, to whoever reads the journal (sd-daemon(3)). */
const warn = (line: string): void => {
  say(`<4>${line}`);
};

interface Answer {
  readonly header: { readonly revision: number };
  readonly kvs?: readonly { readonly key: string; readonly value?: string }[];
}

/** What etcd wants of each name, and as of when. */
async function wantedNow(): Promise<{
  readonly revision: number;
  readonly wanted: ReadonlyMap<string, readonly string[]>;
  readonly malformed: ReadonlySet<string>;
}> {
  const { header, kvs = [] } = JSON.parse(
    await outputOf("etcdctl", ["get", "--prefix", prefix, ...etcdOptions]),
  ) as Answer;
  const text = (base64 = ""): string => Buffer.from(base64, "base64").toString();
  const wanted = new Map<string, readonly string[]>();
  const malformed = new Set<string>();
  for (const { key, value } of kvs) {
    const name = text(key).slice(prefix.length);
    try {
      wanted.set(parseName(name), parseRecords(text(value)));
    } catch (error) {
      malformed.add(name);
      warn(`${JSON.stringify(text(key))} stays as it is: ${reasonOf(error)}`);
    }
  }
  return { revision: header.revision, wanted, malformed };
}

/** After it, the zone is as etcd wants it. @returns as of which revision */
async function pass(): Promise<number> {
  const { revision, wanted, malformed } = await wantedNow();
  const dig = [
    `@${server}`,
    "-p",
    port,
    "-r",
    "-k",
    tsigKey,
    "+time=5",
    "+nocmd",
    "+nocomments",
    "+nostats",
  ];
  const transfer = await outputOf("dig", [...dig, `${zone}.`, "AXFR"]);
  const { updates, foreign } = planOf(zone, wanted, malformed, parseTransfer(transfer, zone));
  for (const name of foreign) warn(`${name}.${zone} was made by somebody else, and is left alone`);
  for (const [name, lines] of updates) {
    const script = [`server ${server} ${port}`, `zone ${zone}.`, ...lines, "send", ""].join("\n");
    await outputOf("nsupdate", ["-v", "-k", tsigKey], script);
    say(`${name}.${zone}: ${wanted.get(name)?.join(", ") ?? "gone"}`);
  }
  const status = `${String(wanted.size - foreign.length)} names as of revision ${String(revision)}`;
  if (socket !== undefined) await outputOf("systemd-notify", ["--ready", `--status=${status}`]);
  return revision;
}

/** Returns once something has changed since that revision, or after a while. */
const changeSince = (revision: number): Promise<void> =>
  firstLineOf(
    "etcdctl",
    ["watch", "--prefix", prefix, `--rev=${String(revision + 1)}`, ...etcdOptions],
    lookAgainMs,
  );

const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

// Nothing is half done: an update is one message, and the next start looks at the zone anew.
process.once("SIGTERM", () => {
  process.exit(0);
});
for (let failures = 0; ;) {
  try {
    const revision = await pass();
    failures = 0;
    await changeSince(revision);
  } catch (error) {
    const pauseMs = Math.min(1000 * 2 ** failures++, longestPauseMs);
    warn(`${reasonOf(error)}; tried again in ${String(pauseMs / 1000)} s`);
    await pause(pauseMs);
  }
}
