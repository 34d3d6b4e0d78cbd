import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { EtcdCluster } from "../fixtures/etcd.ts";
import { NameServer } from "../fixtures/name-server.ts";

// The service as it is, beside a real etcd and a real BIND; on machines it is in test/machines/.

const program = join(import.meta.dirname, "../../examples/dns-records/service/main.ts");

let etcd: EtcdCluster;
let dns: NameServer;
let credentials = "";
beforeAll(async () => {
  [etcd, dns] = await Promise.all([EtcdCluster.start(), NameServer.start()]);
  etcd.script(`etcdctl role add dns-records
    etcdctl role grant-permission dns-records read --prefix /dns/example.org/
    etcdctl user add dns-records --no-password
    etcdctl user grant-role dns-records dns-records`);
  etcd.authenticate();
  credentials = join(dns.directory, "credentials");
  mkdirSync(credentials);
  const { certificate, certificateKey } = etcd.issue("dns-records");
  const pem = `${readFileSync(certificate, "utf8")}${readFileSync(certificateKey, "utf8")}`;
  writeFileSync(join(credentials, "etcd.pem"), pem);
  copyFileSync(dns.key("a"), join(credentials, "tsig.key"));
});
afterAll(async () => {
  for (const one of [etcd, dns]) await one[Symbol.asyncDispose]();
});

let running: ChildProcess | undefined;
let said = "";
function start(...further: readonly string[]): void {
  said = "";
  running = run(...further);
  running.stderr?.setEncoding("utf8").on("data", (part: string) => (said += part));
}
function run(...further: readonly string[]): ChildProcess {
  const words = ["--zone", "example.org", "--server", "127.0.0.1", "--port", String(dns.port)];
  const where = ["--etcd", etcd.endpoints.join(","), "--etcd-ca", etcd.ca];
  const env = { PATH: process.env["PATH"], CREDENTIALS_DIRECTORY: credentials };
  return spawn(process.execPath, [program, ...words, ...where, ...further], {
    env,
    stdio: ["ignore", "inherit", "pipe"],
  });
}
/** Ends it. @returns its exit status */
async function stop(): Promise<unknown> {
  const ending = running;
  if (ending === undefined) return undefined;
  running = undefined;
  const ended = once(ending, "exit");
  ending.kill();
  return ((await ended) as unknown[])[0];
}
afterEach(stop);

const put = (name: string, value: string): string =>
  etcd.etcdctl("put", `/dns/example.org/${name}`, value);
const answers = (name: string, type = "A"): Promise<void> =>
  expect.poll(() => dns.ask(`${name}.example.org`, type)).not.toBe("");
const isGone = (name: string, type = "A"): Promise<void> =>
  expect.poll(() => dns.ask(`${name}.example.org`, type)).toBe("");
/** The processes that watch for it. */
const watching = (): string =>
  spawnSync("pgrep", ["-f", `^etcdctl watch .*${etcd.endpoints.join(",")}`]).stdout.toString();

describe("the service that keeps DNS records in step with etcd", () => {
  it("makes what is there when it starts, and follows each change", async () => {
    put("www", "A 192.0.2.7\nAAAA 2001:db8::7");
    start();
    await answers("www");
    expect(dns.ask("www.example.org", "AAAA")).toBe("2001:db8::7\n");
    put("api.eu", 'TXT says "so"');
    await answers("api.eu", "TXT");
    expect(dns.ask("api.eu.example.org", "TXT")).toBe(String.raw`"says \"so\""` + "\n");
    put("www", "A 192.0.2.8");
    await expect.poll(() => dns.ask("www.example.org", "A")).toBe("192.0.2.8\n");
    expect(dns.ask("www.example.org", "AAAA")).toBe("");
    etcd.etcdctl("del", "/dns/example.org/api.eu");
    await isGone("api.eu", "TXT");
  });

  it("ends at once and well when it is told to", async () => {
    start();
    put("last", "A 192.0.2.9");
    await answers("last");
    await expect.poll(watching).not.toBe("");
    expect(await stop()).toBe(0);
    await expect.poll(watching).toBe("");
  });

  it("takes away when it starts what has gone meanwhile, and nothing that somebody else made", async () => {
    etcd.etcdctl("del", "/dns/example.org/last");
    put("mail", "A 192.0.2.1");
    start();
    await isGone("last");
    await expect.poll(() => said).toContain("mail.example.org was made by somebody else");
    expect(dns.ask("mail.example.org", "A")).toBe("192.0.2.25\n");
    etcd.etcdctl("del", "/dns/example.org/mail");
    put("after", "A 192.0.2.3");
    await answers("after");
    expect(dns.ask("mail.example.org", "A")).toBe("192.0.2.25\n");
  });

  it("leaves a name as it is while its value says nothing that it understands", async () => {
    put("after", "A 192.0.2.3\nserver 203.0.113.1");
    put("evil\nupdate delete mail.example.org.", "A 192.0.2.4");
    start();
    await expect.poll(() => said).toContain('"/dns/example.org/after" stays as it is');
    put("beside", "A 192.0.2.5");
    await answers("beside");
    expect(dns.ask("after.example.org", "A")).toBe("192.0.2.3\n");
    expect(dns.ask("mail.example.org", "A")).toBe("192.0.2.25\n");
    put("after", "A 192.0.2.33");
    await expect.poll(() => dns.ask("after.example.org", "A")).toBe("192.0.2.33\n");
  });

  it("goes on with the others where the server refuses one name", async () => {
    put("refused", "A 192.0.2.6");
    put("zulu", "A 192.0.2.6");
    start();
    await answers("zulu");
    await expect.poll(() => said).toContain("1 names of example.org are not in step");
    expect(said).toMatch(/refused\.example\.org stays as it is: .*REFUSED/u);
    etcd.etcdctl("del", "/dns/example.org/refused");
  });

  it("puts right what somebody else has done to its names, without a change in etcd", async () => {
    start("--every", "0.5");
    await answers("zulu");
    dns.update("b", "update delete zulu.example.org. A");
    expect(dns.ask("zulu.example.org", "A")).toBe("");
    await answers("zulu");
  });

  it("comes to the same when two run at once", async () => {
    const other = run("--every", "0.5");
    start("--every", "0.5");
    const names = Array.from({ length: 12 }, (_, index) => `twin-${String(index)}`);
    for (const name of names) put(name, "A 192.0.2.7");
    for (const name of names.slice(0, 6)) put(name, "A 192.0.2.8");
    etcd.etcdctl("del", "/dns/example.org/twin-11");
    for (const [index, name] of names.slice(0, 11).entries()) {
      const wanted = index < 6 ? "192.0.2.8\n" : "192.0.2.7\n";
      await expect.poll(() => dns.ask(`${name}.example.org`, "A")).toBe(wanted);
    }
    await isGone("twin-11");
    const ended = once(other, "exit");
    other.kill();
    expect(((await ended) as unknown[])[0]).toBe(0);
    expect(await stop()).toBe(0);
  });

  it("catches up once the name server answers again", async () => {
    start();
    await expect.poll(() => said).toContain("evil");
    await dns.stop();
    put("while-down", "A 192.0.2.6");
    await expect.poll(() => said).toContain("tried again in 1 s");
    await dns.run();
    await answers("while-down");
  });

  it("catches up once etcd can be reached again, also where the history is gone by then", async () => {
    start();
    put("before", "A 192.0.2.6");
    await answers("before");
    running?.kill("SIGSTOP");
    for (const index of [0, 1, 2]) await etcd.kill(index);
    for (const index of [0, 1, 2]) etcd.run(index);
    await etcd.healthy();
    put("meanwhile", "A 192.0.2.6");
    const { header } = JSON.parse(etcd.etcdctl("get", "x", "-w", "json")) as {
      header: { revision: number };
    };
    etcd.etcdctl("compact", String(header.revision));
    running?.kill("SIGCONT");
    await answers("meanwhile");
  });

  it("says so, and changes nothing, where it isn't let in", async () => {
    copyFileSync(dns.key("b"), join(dns.directory, "kept.key"));
    const wrong = readFileSync(dns.key("a"), "utf8").replace(/secret "..../u, 'secret "AAAA');
    writeFileSync(join(credentials, "tsig.key"), wrong);
    put("never", "A 192.0.2.6");
    start();
    await expect.poll(() => said).toMatch(/tried again in 2 s/u);
    expect(dns.ask("never.example.org", "A")).toBe("");
    expect(said).not.toContain(/secret "([^"]+)/u.exec(wrong)?.[1]);
    await stop();
    copyFileSync(dns.key("b"), join(credentials, "tsig.key"));
    start();
    await answers("never");
  });

  it("refuses in one line what it isn't started with", async () => {
    const child = spawn(process.execPath, [program, "--zone", "example.org"], { env: {} });
    let told = "";
    child.stderr.setEncoding("utf8").on("data", (part: string) => (told += part));
    expect(((await once(child, "close")) as unknown[])[0]).toBe(64);
    expect(told).toBe("error: --server is missing\n");
  });

  it("is let change nothing but addresses and texts below the zone's name, by the server", () => {
    for (const line of [
      "update add example.org. 60 A 192.0.2.6",
      "update add x.example.org. 60 MX 10 mail.example.org.",
      "update delete example.org. NS",
    ])
      expect(() => {
        dns.update("a", line);
      }).toThrow(/REFUSED/u);
  });
});
