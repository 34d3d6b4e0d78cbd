/**
 * Keeps the names of a zone in step with etcd: what stands below /dns/ZONE/ there is in the DNS, with
 * what it made itself taken away again. Its secrets are files in $CREDENTIALS_DIRECTORY: tsig.key, by
 * which the DNS server knows it, and etcd.pem, its certificate for etcd with the private half.
 */
import { setTimeout as pause } from "node:timers/promises";
import { parseOptions, type Options } from "./options.ts";
import { firstLineOf, outputOf } from "./programs.ts";
import { parseName, parseRecords } from "./records.ts";
import { parseTransfer, planOf } from "./zone.ts";

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
async function wantedNow({ zone, etcd }: Options): Promise<{
  readonly revision: number;
  readonly wanted: ReadonlyMap<string, readonly string[]>;
  readonly malformed: ReadonlySet<string>;
}> {
  const prefix = `/dns/${zone}/`;
  const { header, kvs = [] } = JSON.parse(
    await outputOf("etcdctl", ["get", "--prefix", prefix, ...etcd]),
  ) as Answer;
  const text = (base64 = ""): string => Buffer.from(base64, "base64").toString();
  const wanted = new Map<string, readonly string[]>();
  const malformed = new Set<string>();
  for (const { key, value } of kvs) {
    const name = text(key).slice(prefix.length);
    try {
      wanted.set(parseName(name, zone), parseRecords(text(value)));
    } catch (error) {
      malformed.add(name);
      warn(`${JSON.stringify(text(key))} stays as it is: ${reasonOf(error)}`);
    }
  }
  return { revision: header.revision, wanted, malformed };
}

/** After it, the zone is as etcd wants it. @returns as of which revision */
async function pass(options: Options): Promise<number> {
  const { zone, server, port, tsigKey } = options;
  const { revision, wanted, malformed } = await wantedNow(options);
  const dig = [`@${server}`, "-p", port, "-r", "-k", tsigKey, "+time=5"];
  const transfer = await outputOf("dig", [...dig, `${zone}.`, "AXFR"]);
  const { updates, foreign } = planOf(zone, wanted, malformed, parseTransfer(transfer, zone));
  for (const name of foreign) warn(`${name}.${zone} was made by somebody else, and is left alone`);
  let failed = 0;
  for (const [name, lines] of updates) {
    const script = [`server ${server} ${port}`, `zone ${zone}.`, ...lines, "send", ""].join("\n");
    try {
      await outputOf("nsupdate", ["-v", "-k", tsigKey], script);
      say(`${name}.${zone}: ${wanted.get(name)?.join(", ") ?? "gone"}`);
    } catch (error) {
      failed++;
      warn(`${name}.${zone} stays as it is: ${reasonOf(error)}`);
    }
  }
  const inStep = wanted.size - foreign.length - failed;
  await tellSystemd(`${String(inStep)} names as of revision ${String(revision)}`);
  if (failed > 0) throw new Error(`${String(failed)} names of ${zone} are not in step`);
  return revision;
}

/** After it, systemd knows that the service has started, and shows that line (sd_notify(3)). */
async function tellSystemd(status: string): Promise<void> {
  if (process.env["NOTIFY_SOCKET"] === undefined) return;
  await outputOf("systemd-notify", ["--ready", `--status=${status}`]);
}

/** Returns once something has changed since that revision, or after a while. */
const changeSince = (revision: number, { zone, etcd, everyMs }: Options): Promise<void> =>
  firstLineOf(
    "etcdctl",
    ["watch", "--prefix", `/dns/${zone}/`, `--rev=${String(revision + 1)}`, ...etcd],
    everyMs,
  );

async function follow(options: Options): Promise<never> {
  for (let failures = 0; ;) {
    try {
      const revision = await pass(options);
      failures = 0;
      await changeSince(revision, options);
    } catch (error) {
      const pauseMs = Math.min(1000 * 2 ** failures++, longestPauseMs);
      warn(`${reasonOf(error)}; tried again in ${String(pauseMs / 1000)} s`);
      await pause(pauseMs);
    }
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

// Nothing is half done: an update is one message, and the next start looks at the zone anew.
process.once("SIGTERM", () => {
  process.exit(0);
});
try {
  await follow(parseOptions(process.argv.slice(2), process.env));
} catch (error) {
  say(`error: ${reasonOf(error)}`);
  process.exitCode = 64;
}
