import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Deploying, type Outcome } from "./deploying.ts";

// What Nix builds of the file in the checkout: a service that says its version and its secret.
const expression = (version: string): string => `{ dns = derivation {
  name = "dns-${version}";
  system = builtins.currentSystem;
  builder = "/bin/sh";
  args = [ "-ec" ''
    /bin/busybox mkdir -p $out/bin
    printf '%s\\n' '#!/bin/sh' 'echo "${version} $(cat $CREDENTIALS_DIRECTORY/CF_TOKEN)" >/run/dns/says' \\
      'exec sleep 1000' >$out/bin/service
    /bin/busybox chmod +x $out/bin/service
  '' ];
}; }
`;

let cluster: Deploying;
let address = "";
let key = "";
beforeAll(async () => {
  cluster = await Deploying.create();
  const { laptop } = cluster;
  await laptop.sh(`
    mkdir -p /srv/cache
    nix-store --generate-binary-cache-key cache-1 /root/secret /root/public
    chmod 0600 /root/secret
    sed -i '1s#{#{"cache": {"to": "file:///srv/cache", "keys": ["/root/secret"]},#' /srv/cluster/sealaunch.json
    systemd-run --unit=cache /bin/busybox httpd -f -p 8080 -h /srv/cache`);
  address = `http://${laptop.address}:8080`;
  key = (await laptop.sh("cat /root/public")).trim();
  await trust(0, [key]);
  await trust(1, []);
  await write("1");
});
afterAll(() => cluster[Symbol.asyncDispose]());

/** After it, a node fetches from the cache what these keys have signed. */
async function trust(node: number, keys: readonly string[]): Promise<void> {
  const lines = ["build-users-group =", "sandbox = false", `substituters = ${address}`];
  const text = [...lines, `trusted-public-keys = ${keys.join(" ")}`].join("\n");
  await cluster.nodes[node]?.sh(`
    printf '%s\\n' '${text.replaceAll("\n", "' '")}' >/etc/nix/nix.conf
    systemctl restart nix-daemon.service`);
}

const write = (version: string): Promise<void> =>
  cluster.laptop.write("/srv/cluster/default.nix", expression(version));

const service = { closure: { file: "default.nix", attribute: "dns" }, program: "bin/service" };
const both = "--node n7 --node n8";
const deploy = (options = both, changes: object = {}): Promise<Outcome> =>
  cluster.deploy({ ...service, ...changes }, options);

describe("a service that is deployed from a checkout", () => {
  it("isn't brought to any node while one of them can't have what it runs", async () => {
    const { exit, states, stderr } = await deploy();
    const said = JSON.parse(stderr) as { readonly code: string; readonly message: string };
    expect(said.code).toBe("closure/untrusted");
    expect(said.message).toMatch(
      /^node n8 can't start dns\.service: \/nix\/store\/[0-9a-z]{32}-dns-1 isn't in the store, .*signed by cache-1; this node trusts no key/u,
    );
    expect(exit).toBe(77);
    expect(states).toEqual({});
    expect(await cluster.says()).toEqual(["", ""]);
  });

  it("is built, published, and runs on every node", async () => {
    await trust(1, [key]);
    const { exit, states, stderr } = await deploy();
    expect(stderr).toBe("");
    expect(exit).toBe(0);
    expect(states, stderr).toEqual({ n7: "runs", n8: "runs" });
    expect(await cluster.says()).toEqual(["1 correct horse\n", "1 correct horse\n"]);
  });

  it("is left alone where it runs as it is to", async () => {
    const before = await cluster.pids();
    expect((await deploy()).states).toEqual({ n7: "ran already", n8: "ran already" });
    expect(await cluster.pids()).toEqual(before);
  });

  it("is shown with --dry-run as a difference from what runs, and neither built nor published", async () => {
    await write("2");
    await cluster.laptop.sh(`
      cd /srv/cluster; echo -n "battery staple" >/run/token
      sealaunch seal dns CF_TOKEN=/run/token; rm /run/token`);
    const before = await cluster.laptop.sh("ls /srv/cache");
    const { exit, states, stdout, stderr } = await deploy(`${both} --dry-run`);
    expect(exit).toBe(0);
    expect(states, stderr).toEqual({ n7: "would change", n8: "would change" });
    const told = JSON.parse(stdout) as {
      readonly storePaths: readonly string[];
      readonly bundles: readonly object[];
      readonly nodes: readonly { readonly diff: string; readonly now: object }[];
    };
    const [path = ""] = told.storePaths;
    expect(path).toMatch(/-dns-2$/u);
    expect(told.bundles).toEqual([{ bundle: "dns", series: 0, generation: 2 }]);
    for (const { diff, now } of told.nodes) {
      expect(diff).toMatch(/^-ExecStart=.*-dns-1\/bin\/service$/mu);
      expect(diff).toMatch(/^\+ExecStart=.*-dns-2\/bin\/service$/mu);
      expect(now).toMatchObject({
        programs: [expect.stringMatching(/-dns-1\/bin\/service$/u)],
        bundles: [{ bundle: "dns", series: 0, generation: 1 }],
      });
    }
    expect(await cluster.laptop.sh(`ls ${path} 2>/dev/null || true`)).toBe("");
    expect(await cluster.laptop.sh("ls /srv/cache")).toBe(before);
    const eyes = await cluster.laptop.sh(
      `cd /srv/cluster; sealaunch deploy dns.json ${both} --dry-run`,
    );
    expect(eyes).toMatch(/^would build \/nix\/store\/\S+-dns-2, or fetch it$/mu);
    expect(eyes).toMatch(/^n7, n8:$/mu);
    expect(eyes).toMatch(/^n7 .* would change +\S+…-dns-1 → \S+…-dns-2 +dns 1 → dns 2 *$/mu);
    expect(await cluster.says()).toEqual(["1 correct horse\n", "1 correct horse\n"]);
  });

  it("isn't deployed with --no-publish before somebody has published it", async () => {
    const before = await cluster.pids();
    const { exit, states, stderr } = await deploy(`${both} --no-build --no-publish`);
    expect(JSON.parse(stderr)).toMatchObject({ code: "closure/absent" });
    expect(stderr).toMatch(/no cache has \/nix\/store\/[0-9a-z]{32}-dns-2: asked were file:/u);
    expect(exit).toBe(69);
    expect(states).toEqual({});
    expect(await cluster.pids()).toEqual(before);
  });

  it("runs with --no-build --no-publish what a pipeline has built and published", async () => {
    await cluster.laptop.sh("cd /srv/cluster; sealaunch publish dns.json");
    const { exit, states, stderr } = await deploy(`${both} --no-build --no-publish`);
    expect(exit).toBe(0);
    expect(states, stderr).toEqual({ n7: "runs", n8: "runs" });
    expect(await cluster.says()).toEqual(["2 battery staple\n", "2 battery staple\n"]);
  });

  it("gets the value of an encrypted file once it has changed, and is restarted for it", async () => {
    const values = { dns: { agenix: ["CF_TOKEN=token.age"] } };
    await cluster.laptop.sh(`
      cd /srv/cluster
      printf %s "zebra" | age -R /root/.ssh/id_ed25519.pub -o token.age`);
    expect((await deploy(both, { values })).states).toEqual({ n7: "runs", n8: "runs" });
    expect(await cluster.says()).toEqual(["2 zebra\n", "2 zebra\n"]);
    const before = await cluster.pids();
    expect((await deploy(both, { values })).states).toEqual({
      n7: "ran already",
      n8: "ran already",
    });
    expect(await cluster.pids()).toEqual(before);
  });

  it("is copied to each node where there is no cache", async () => {
    await write("3");
    await cluster.laptop.sh(
      `sed -i 's#"cache": {[^}]*}#"cache": "none"#' /srv/cluster/sealaunch.json`,
    );
    await trust(0, []);
    await trust(1, []);
    const { exit, states, stderr } = await deploy();
    expect(stderr).toBe("");
    expect(exit).toBe(0);
    expect(states, stderr).toEqual({ n7: "runs", n8: "runs" });
    expect(await cluster.says()).toEqual(["3 zebra\n", "3 zebra\n"]);
  });
});

describe("publish --to ssh://", () => {
  const publish = (to: string, options = ""): Promise<string> =>
    cluster.laptop.sh(`cd /srv/cluster; sealaunch publish dns.json --to ${to} ${options} 2>&1`);

  it("fills the store of a node that its signed card tells apart, by its name or its address", async () => {
    await write("4");
    const [n7, n8] = cluster.nodes;
    expect(await publish("ssh://n7", "--dry-run")).toMatch(/^\/nix\/store\/\S+-dns-4 +\d+ *$/mu);
    expect(await publish("ssh://n7")).toBe(`published 1 store path to root@${n7?.address ?? ""}\n`);
    expect(await publish("ssh://n7")).toBe(
      `nothing to do: root@${n7?.address ?? ""} has 1 store path\n`,
    );
    expect(await publish(`ssh://root@${n8?.address ?? ""}:22`)).toMatch(/^published 1 store path/u);
    for (const node of cluster.nodes) {
      expect(await node.sh("ls -d /nix/store/*-dns-4")).toMatch(/-dns-4\n$/u);
      expect(await node.sh("nix-store --verify --check-contents 2>&1")).not.toMatch(
        /error|modified|disappeared/u,
      );
    }
  });

  it("isn't sent to a machine that only answers where a node should", async () => {
    await write("5");
    const [n7, n8] = cluster.nodes;
    const [there, elsewhere] = [n7?.address ?? "", n8?.address ?? ""];
    const [file, known] = ["/srv/cluster/sealaunch.json", "/root/.ssh/known_hosts"];
    await cluster.laptop.sh(`
      ssh-keyscan -t ed25519 ${elsewhere} >${known} 2>/dev/null
      sed -i 's#"n7":"root@${there}"#"n7":"root@${elsewhere}"#' ${file}`);
    const command = "cd /srv/cluster; exec sealaunch publish dns.json --to ssh://n7 --json";
    const { status, stderr } = await cluster.laptop.run("sh", ["-euc", command]);
    await cluster.laptop.sh(`
      rm ${known}
      sed -i 's#"n7":"root@${elsewhere}"#"n7":"root@${there}"#' ${file}`);
    expect(JSON.parse(stderr)).toMatchObject({ code: "ssh/failed" });
    expect(stderr).toContain("Host key verification failed");
    expect(status).toBe(69);
    expect(await n8?.sh("ls -d /nix/store/*-dns-5 2>/dev/null || true")).toBe("");
  });

  it.each([
    ["a machine that nothing is known of", "ssh://root@127.0.0.1", "ssh/failed", 69],
    ["an option in place of a machine", "ssh://-oProxyCommand=x", "cache/unknown", 64],
  ])("refuses %s", async (_, to, code, exit) => {
    const command = `cd /srv/cluster; exec sealaunch publish dns.json --to ${to} --json`;
    const { status, stderr } = await cluster.laptop.run("sh", ["-euc", command]);
    expect(JSON.parse(stderr)).toMatchObject({ code });
    expect(status).toBe(exit);
  });
});
