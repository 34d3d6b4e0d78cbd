import { afterAll, beforeAll, expect, it } from "vitest";
import { enrol } from "./enrolment.ts";
import { machine, type Machine } from "./machine.ts";
import { until } from "./pool.ts";
import { packageFiles } from "./reachable.ts";

const mirror = "/var/lib/sealaunch-mirror";

let node: Machine;
beforeAll(async () => {
  node = await machine({
    files: packageFiles,
  });
  await enrol(node, { secret: "first value", units: ["a1.service", "runs.service"] });
  // Its own checkout is the manager's; as a node it has neither that nor any other source.
  await node.sh(`
    systemd-sysusers
    systemd-tmpfiles --create sealaunch.conf
    sed -i '1s#{#{"mirror": "${mirror}",#; s#dir:/srv/cluster#dir:/srv/nowhere#' /etc/sealaunch/node.json
    cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys
    echo "localhost $(cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub)" >/root/.ssh/known_hosts
    mkdir -p /run/sshd
    /usr/sbin/sshd`);
  await node.unit(
    "a1.service",
    `[Service]
Type=oneshot
TimeoutStartSec=6
LoadCredential=CF_TOKEN:/run/sealaunch/agent.sock
LoadCredential=sealaunch:/run/sealaunch/agent.sock
ExecStart=/opt/sealaunch/wrapper/bin/sealaunch run --bundle dns -- /bin/sh -c 'exec cat $\${CREDENTIALS_DIRECTORY}/CF_TOKEN >/run/got'
`,
  );
});
afterAll(() => node[Symbol.asyncDispose]());

const start = async (): Promise<string> => {
  const { status } = await node.run("systemctl", ["restart", "a1.service"]);
  return status === 0 ? node.sh("cat /run/got") : "";
};

const overSsh = (): Promise<string> =>
  node.sh("cd /srv/cluster; sealaunch sync --ssh root@localhost 2>&1");

it("a node that reaches no source gets its secrets over ssh, and what it writes comes back", async () => {
  expect(await start()).toBe("");
  expect(await overSsh()).toContain("root@localhost has what it needs");
  expect(await start()).toBe("first value");
  expect(await node.sh(`stat -c %U ${mirror} ${mirror}/* | sort -u`)).toBe("sealaunch-sync\n");
  // A newcomer's entry is owed: the node writes it, and the next round takes it back.
  await node.sh(`
    cd /srv/cluster
    ssh-keygen -q -t ed25519 -N '' -C n2 -f /run/n2_key
    sealaunch identity create --into /run/n2 --node n2 --host-key /run/n2_key --plain-identity
    echo "n2 $(cut -d ' ' -f 1,2 /run/n2_key.pub)" >>known_hosts
    sealaunch roster add-node /run/n2 --pool web --known-hosts known_hosts --yes`);
  const owed = (): Promise<string> => node.sh("cd /srv/cluster; ls keys/entries/web/1 | wc -l");
  const before = Number(await owed());
  await overSsh();
  expect(await node.sh("sealaunch rewrap")).toContain("entry of node n2");
  expect(Number(await owed())).toBe(before);
  expect(await overSsh()).toContain("wrote keys/entries/web/1/");
  expect(Number(await owed())).toBe(before + 1);
  await node.sh("cd /srv/cluster; sealaunch verify --identity /run/n2/identity");
  // At most what the node reports of itself, which it does when it likes.
  expect(await overSsh()).not.toContain("wrote keys/entries");
});

it("what its services run on comes back too, so that it is seen and waited for in the checkout", async () => {
  await node.unit(
    "runs.service",
    `[Service]
Type=exec
TimeoutStartSec=6
LoadCredential=CF_TOKEN:/run/sealaunch/agent.sock
LoadCredential=sealaunch:/run/sealaunch/agent.sock
ExecStart=/opt/sealaunch/wrapper/bin/sealaunch run --bundle dns --on-change restart -- /bin/sleep infinity
`,
  );
  await node.ok("systemctl", ["start", "runs.service"]);
  await node.sh("cd /srv/cluster; sealaunch roster remove-node n2 --disk-destroyed --yes");
  const status = (): ReturnType<Machine["run"]> =>
    node.run("sh", ["-euc", "cd /srv/cluster; sealaunch status --bundle dns"]);
  // A few seconds after the start it stands in the node's outbox.
  await until(async () => {
    await overSsh();
    return /n1 +runs\.service +dns +1 +1 +current/u.test((await status()).stdout.toString());
  }, "a report over ssh");
  await node.sh(`
    cd /srv/cluster
    printf second >/run/token
    sealaunch seal dns CF_TOKEN=/run/token
    rm /run/token`);
  expect((await status()).stderr).toContain("behind: n1; n1: restart owed");
  // By hand or by a timer, beside somebody who waits.
  const waiting = node.sh("cd /srv/cluster; sealaunch status --bundle dns --wait --timeout 120");
  let isDone = false;
  void waiting.then(() => {
    isDone = true;
  });
  await until(async () => {
    if (!isDone) await overSsh();
    return isDone;
  }, "the end of the waiting");
  expect(await waiting).toMatch(/n1 +runs\.service +dns +2 +2 +current/u);
});

it("hosts that are away keep none of the others from theirs, and each is named", async () => {
  await node.sh(`
    cd /srv/cluster
    printf third >/run/token
    sealaunch seal dns CF_TOKEN=/run/token
    rm /run/token`);
  const hosts = ["root@nowhere.invalid", "root@localhost", "root@gone.invalid"];
  const words = `cd /srv/cluster; sealaunch sync --ssh ${hosts.join(" ")}`;
  const { status, stdout, stderr } = await node.run("sh", ["-euc", words]);
  expect(stdout.toString()).toContain("root@localhost has what it needs");
  expect(stderr).toMatch(
    /^warning: root@gone\.invalid .+\nerror: root@nowhere\.invalid .+\nhint: .* ssh root@nowhere\.invalid .+\n$/u,
  );
  expect(status).toBe(69);
  expect(await start()).toBe("third");
});
