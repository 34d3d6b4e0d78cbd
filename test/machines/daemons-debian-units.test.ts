import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  addDaemon,
  askTls,
  keepNothing,
  live,
  makeCertificate,
  makeHostKey,
  place,
  type Daemon,
} from "./daemon.ts";
import { enrol } from "./enrolment.ts";
import { machine, type Machine } from "./machine.ts";
import { addService } from "./services.ts";
import { count } from "../soak.ts";

// Debian's own units of its daemons, with the program's path that of a store path. What an administrator
// would do is in drop-ins, and one more is by 'sealaunch unit --wrap'.

/** A daemon of which Debian has the unit. */
interface Wrapped extends Daemon {
  /** Where Debian has its program. */
  readonly installed: string;
  /** An administrator's drop-in. */
  readonly dropIn: string;
}

const password = "correct-horse-battery-staple";
const [web, proxy, store] = [
  await makeCertificate(),
  await makeCertificate(),
  await makeCertificate(),
];
const hostKey = await makeHostKey();
const knowing = [
  "BatchMode=yes",
  "StrictHostKeyChecking=yes",
  `UserKnownHostsFile=${place}/known_hosts`,
].flatMap((option) => ["-o", option]);
// These tests start it more often than an administrator does by mistake.
const often = "[Unit]\nStartLimitIntervalSec=0\n";

const daemons: readonly Wrapped[] = [
  {
    // Type=forking, with a PIDFile= and an ExecStartPre= that reads the key.
    name: "nginx",
    installed: "/usr/sbin/nginx",
    program: "bin/nginx",
    files: { programs: { nginx: "/usr/sbin/nginx" } },
    secrets: { TLS_KEY: web.key },
    configuration: {
      [`${place}/nginx.pem`]: web.certificate,
      "/etc/nginx/nginx.conf": `
pid /run/nginx.pid;
user www-data;
error_log stderr;
events {}
http {
  access_log off;
  server {
    listen 127.0.0.1:443 ssl;
    ssl_certificate ${place}/nginx.pem;
    ssl_certificate_key /run/credentials/nginx.service/TLS_KEY;
    location / { return 200; }
  }
}
`,
    },
    dropIn: "[Service]\nRestart=on-failure\n",
    ask: askTls(443, `${place}/nginx.pem`),
    reload: "systemctl reload nginx",
    tellsReady: true,
  },
  {
    // Type=notify, a master that executes itself anew. Debian has it check its configuration in
    // ExecReload= before, which gets no credentials where it has mounts of its own, as this one has.
    name: "haproxy",
    installed: "/usr/sbin/haproxy",
    program: "bin/haproxy",
    files: { programs: { haproxy: "/usr/sbin/haproxy" } },
    secrets: { TLS_PEM: `${proxy.key}${proxy.certificate}` },
    configuration: {
      [`${place}/haproxy.pem`]: proxy.certificate,
      "/etc/haproxy/haproxy.cfg": `
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend web
  bind 127.0.0.1:8443 ssl crt /run/credentials/haproxy.service/TLS_PEM
  http-request return status 200
`,
    },
    dropIn: "[Service]\nExecReload=\nExecReload=/bin/kill -USR2 $MAINPID\n",
    ask: askTls(8443, `${place}/haproxy.pem`),
    reload: "systemctl reload haproxy",
    crash: "KILL",
    tellsReady: true,
  },
  {
    // Type=notify, a user of its own, in a sandbox.
    name: "redis-server",
    installed: "/usr/bin/redis-server",
    program: "bin/redis-server",
    files: { programs: { "redis-server": "/usr/bin/redis-server" } },
    secrets: { ACL: `user default off\nuser app on >${password} ~* +@all\n` },
    configuration: {
      "/etc/redis/redis.conf": `
bind 127.0.0.1
dir /var/lib/redis
aclfile /run/credentials/redis-server.service/ACL
`,
    },
    before: "chmod 644 /etc/redis/redis.conf",
    // Debian lets it execute nothing but itself, which is now another file; the wrapper is a shell.
    dropIn: "[Service]\nExecPaths=/nix/store /usr/bin /bin /opt/sealaunch\n",
    ask: `
      redis-cli ping | grep -q NOAUTH
      redis-cli --no-auth-warning --user app --pass ${password} ping | grep -qx PONG`,
    reload: `redis-cli --no-auth-warning --user app --pass ${password} acl load | grep -qx OK`,
    tellsReady: true,
  },
  {
    // Type=notify, with variables and an EnvironmentFile=. Go ends with a status where others die of SEGV.
    name: "etcd",
    installed: "/usr/bin/etcd",
    program: "bin/etcd",
    files: { programs: { etcd: "/usr/bin/etcd" } },
    secrets: { TLS_KEY: store.key },
    configuration: { [`${place}/etcd.pem`]: store.certificate },
    dropIn: `[Service]
Environment=ETCD_CERT_FILE=${place}/etcd.pem ETCD_KEY_FILE=%d/TLS_KEY
Environment=ETCD_LISTEN_CLIENT_URLS=https://127.0.0.1:2379 ETCD_ADVERTISE_CLIENT_URLS=https://127.0.0.1:2379
`,
    ask: `
      export ETCDCTL_API=3 ETCDCTL_CACERT=${place}/etcd.pem ETCDCTL_ENDPOINTS=https://127.0.0.1:2379
      etcdctl put greeting hello >/dev/null
      etcdctl get greeting | grep -qx hello`,
    crash: "KILL",
    tellsReady: true,
  },
  {
    // Its socket is systemd's, which starts it for the first connection. Reloaded, sshd tries to open
    // that socket itself and ends, also without Sealaunch.
    name: "ssh",
    installed: "/usr/sbin/sshd",
    program: "bin/sshd",
    files: { programs: { sshd: "/usr/sbin/sshd" } },
    secrets: { HOST_KEY: hostKey.secret },
    configuration: {
      "/etc/ssh/sshd_config.d/host-key.conf": "HostKey /run/credentials/ssh.service/HOST_KEY\n",
    },
    before: "rm /etc/systemd/system/ssh.socket",
    dropIn: "",
    ask: `ssh ${knowing.join(" ")} 127.0.0.1 echo hello | grep -qx hello`,
    socket: "ssh.socket",
    tellsReady: true,
  },
];

let node: Machine;
beforeAll(async () => {
  node = await machine();
  await enrol(node, { secret: "of nobody here", units: ["other.service"] });
  await node.write(`${place}/known_hosts`, `127.0.0.1 ${hostKey.public}`);
  await node.sh(`
    cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys
    cd /srv/cluster
    sealaunch roster add-signer ann /root/.ssh/id_ed25519.pub --name daemons/ --yes`);
});
afterAll(() => node[Symbol.asyncDispose]());

/** After it, a unit is Debian's with the program in the store, and with a drop-in around it. */
async function wrap(daemon: Wrapped, path: string): Promise<void> {
  const { name, installed, program, dropIn } = daemon;
  const unit = `/etc/systemd/system/${name}.service`;
  await node.sh(`
    rm -f ${unit}
    sed 's#${installed}\\b#${path}/${program}#g' /lib/systemd/system/${name}.service >${unit}`);
  await node.write(`${unit}.d/administrator.conf`, `${often}${dropIn}`);
  await node.sh(`
    systemctl daemon-reload
    cd /srv/cluster
    sealaunch unit --wrap ${name}.service --bundle daemons/${name} --output ${unit}.d/sealaunch.conf
    systemctl daemon-reload`);
}

describe.each(daemons)("Debian's unit of $name", (daemon) => {
  let path = "";
  beforeAll(async () => {
    path = await addDaemon(node, daemon);
    await wrap(daemon, path);
  });
  live(
    () => node,
    daemon,
    () => path,
  );
});

describe("Debian's unit of redis-server as it is", () => {
  it("is refused, since it lets nothing else be executed", async () => {
    const unit = "/lib/systemd/system/redis-server.service";
    const words = ["--wrap", unit, "--bundle", "daemons/redis-server"];
    const config = ["--config", "/srv/cluster/sealaunch.json"];
    const { status, stderr } = await node.run("sealaunch", ["unit", ...words, ...config]);
    expect(stderr).toContain("redis-server.service hides the wrapper by NoExecPaths=/\n");
    expect(status).not.toBe(0);
  });
});

describe("an sshd for each connection", () => {
  // It ends with 255 when a client hangs up, so that such units have always let it.
  const text = (path: string): string => `[Service]
StandardInput=socket
StandardError=journal
ExecStart=-${path}/bin/sshd -i -h %d/HOST_KEY
`;
  it(`has its host key, ${String(count(50))} times, and leaves nothing`, async () => {
    const path = await addService(node, "each", { programs: { sshd: "/usr/sbin/sshd" } });
    await node.write("/run/key", hostKey.secret, 0o600);
    await node.unit("each@.service", text(path));
    await node.unit("each.socket", "[Socket]\nListenStream=127.0.0.1:2222\nAccept=yes\n");
    await node.sh(`
      mkdir -p /run/sshd
      cd /srv/cluster
      sealaunch seal daemons/each HOST_KEY=/run/key --pool web --unit each@
      rm /run/key
      sealaunch unit --wrap each@.service --bundle daemons/each \
        --output /etc/systemd/system/each@.service.d/sealaunch.conf
      systemctl daemon-reload
      systemctl start each.socket`);
    for (let round = 1; round <= count(50); round++) {
      const words = ["-p", "2222", "-o", "HostKeyAlias=127.0.0.1", ...knowing];
      expect(await node.ok("ssh", [...words, "127.0.0.1", "echo hello"])).toBe("hello\n");
    }
    await node.ok("systemctl", ["stop", "each.socket"]);
    const left = (): Promise<string> =>
      node.sh("systemctl list-units --no-legend 'each@*'; ls /run/credentials | grep each || :");
    await expect.poll(left).toBe("");
  });
});

describe("what is kept of daemons that have stopped", () => {
  it("is nothing, once it need be kept no longer", () => keepNothing(node));
});
