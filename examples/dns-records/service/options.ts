import { join } from "node:path";
import { parseArgs } from "node:util";

/** What the service is told when it starts. */
export interface Options {
  readonly zone: string;
  readonly server: string;
  readonly port: string;
  /** For how long nothing is looked at while etcd tells of no change. */
  readonly everyMs: number;
  /** Words of every call of etcdctl. */
  readonly etcd: readonly string[];
  /** The file with the key by which the name server knows the service. */
  readonly tsigKey: string;
}

/** @throws Error that names the option or variable that is missing or wrong */
export function parseOptions(
  args: readonly string[],
  { CREDENTIALS_DIRECTORY: credentials = "" }: Readonly<Record<string, string | undefined>>,
): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      zone: { type: "string", default: "" },
      server: { type: "string", default: "" },
      port: { type: "string", default: "53" },
      etcd: { type: "string", default: "" },
      "etcd-ca": { type: "string", default: "" },
      every: { type: "string", default: "60" },
    },
  });
  for (const [option, value] of Object.entries(values))
    if (value === "") throw new Error(`--${option} is missing`);
  const seconds = Number(values.every);
  if (!(seconds > 0)) throw new Error(`--every ${values.every} is no number of seconds`);
  if (credentials === "") throw new Error("there is no $CREDENTIALS_DIRECTORY");
  const pem = join(credentials, "etcd.pem");
  return {
    zone: values.zone,
    server: values.server,
    port: values.port,
    everyMs: seconds * 1000,
    etcd: [
      ...[`--endpoints=${values.etcd}`, `--cacert=${values["etcd-ca"]}`],
      ...[`--cert=${pem}`, `--key=${pem}`],
      ...["--dial-timeout=5s", "--command-timeout=10s", "--write-out=json"],
    ],
    tsigKey: join(credentials, "tsig.key"),
  };
}
