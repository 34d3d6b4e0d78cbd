import { once } from "node:events";
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSource } from "../../src/sources/open.ts";
import type { Source } from "../../src/sources/source.ts";
import { EtcdCluster, type Certificate } from "../fixtures/etcd.ts";
import { expectEtcdFailure as expectFailure, Heard } from "../fixtures/heard.ts";
import { refusal } from "../fixtures/refusal.ts";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
let etcd: EtcdCluster;
let root: Certificate;
const open = (name: string, fields: object = {}): Promise<Source> =>
  openSource(`etcd:${etcd.configuration(name, { ...root, deadline: 3, ...fields })}`, "/");

beforeAll(async () => {
  etcd = await EtcdCluster.start();
  etcd.authenticate();
  root = etcd.issue("root");
  await (await open("root")).write("roster/1/roster.json", bytes("roster"));
});
afterAll(() => etcd[Symbol.asyncDispose]());

const readRoster = (source: Source): Promise<unknown> => source.read("roster/1/roster.json", 100);

describe("etcd refuses", () => {
  it("a password and a private half that others than owner and group may read, or others than the owner write", async () => {
    const passwordFile = join(etcd.directory, "open");
    writeFileSync(passwordFile, "hunter2\n");
    const { certificate, certificateKey } = etcd.issue("open");
    for (const mode of [0o644, 0o604, 0o660, 0o602, 0o640, 0o400]) {
      for (const [file, fields] of [
        [passwordFile, { user: "ann", passwordFile }],
        [certificateKey, { certificate, certificateKey }],
      ] as const) {
        chmodSync(file, mode);
        const code = await refusal(() => open("open", fields));
        expect(code, mode.toString(8)).toBe(
          mode === 0o640 || mode === 0o400 ? "none" : "source/too-open",
        );
      }
    }
  });

  it("a user whose password is wrong", async () => {
    etcd.etcdctl("user", "add", "ann:correct");
    const passwordFile = join(etcd.directory, "password");
    writeFileSync(passwordFile, "hunter2\n", { mode: 0o600 });
    const source = await open("ann", { user: "ann", passwordFile });
    await expectFailure(
      readRoster(source),
      "source/authentication",
      /refuses user ann or the password/u,
    );
    writeFileSync(passwordFile, "correct\n");
    const known = await open("ann", { user: "ann", passwordFile });
    await expectFailure(readRoster(known), "source/forbidden", /doesn't let user ann do that/u);
    etcd.etcdctl("user", "grant-role", "ann", "root");
    expect(await readRoster(known)).toEqual(bytes("roster"));
  });

  it("a user whose role was taken away, by name of what he wanted", async () => {
    etcd.script(`etcdctl role add reader
      etcdctl role grant-permission reader read --prefix=true /sealaunch/
      etcdctl user add n1 --no-password
      etcdctl user grant-role n1 reader`);
    const source = await open("n1", etcd.issue("n1"));
    await using heard = new Heard(source, ["roster"]);
    expect(await heard.next()).toEqual({ kind: "anything" });
    await readRoster(source);
    await expectFailure(
      source.write("roster/2", bytes("")),
      "source/forbidden",
      /doesn't let user n1 do that below \/sealaunch: write roster\/2/u,
    );
    const typo = await open("typo", { ...etcd.issue("n1"), prefix: "/sealunch" });
    await expectFailure(readRoster(typo), "source/forbidden", /below \/sealunch: read/u);
    etcd.etcdctl("user", "revoke-role", "n1", "reader");
    await expectFailure(readRoster(source), "source/forbidden", /read roster\/1\/roster\.json/u);
    await using late = new Heard(source, ["roster"]);
    const change = await late.next();
    expect(change.kind === "lost" && change.failure.code).toBe("source/forbidden");
  });

  it("a certificate that has expired, of another authority, or none", async () => {
    const expired = etcd.issueExpired("old");
    await expectFailure(
      readRoster(await open("old", expired)),
      "source/certificate",
      /refuses certificate, which has expired 20\S+Z \(\w.+; here it is 20/u,
    );
    etcd.makeCa("stranger");
    const strange = etcd.issue("strange", [], "stranger");
    await expectFailure(
      readRoster(await open("strange", strange)),
      "source/certificate",
      /refuses certificate \(/u,
    );
    const none = { certificate: undefined, certificateKey: undefined };
    await expectFailure(
      readRoster(await open("none", none)),
      "source/certificate",
      /asks for a certificate, and none is set/u,
    );
  });
});

describe("we refuse", () => {
  it("members whose certificate has expired, or isn't vouched for", async () => {
    await expectFailure(
      readRoster(await open("trusting", { trustedCa: etcd.makeCa("other") })),
      "source/certificate",
      /trustedCa doesn't vouch for/u,
    );
    await expectFailure(
      readRoster(await open("trusting", { trustedCa: undefined })),
      "source/certificate",
      /whom Node trusts, and no trustedCa is set/u,
    );
    const good = ["pem", "private"].map((end) =>
      readFileSync(join(etcd.directory, `member.${end}`)),
    );
    etcd.issueExpired("late");
    for (const end of ["pem", "private"])
      copyFileSync(join(etcd.directory, `late.${end}`), join(etcd.directory, `member.${end}`));
    await expectFailure(readRoster(await open("root")), "source/certificate", /has expired/u);
    for (const [index, end] of ["pem", "private"].entries())
      writeFileSync(join(etcd.directory, `member.${end}`), good[index] ?? "");
    await readRoster(await open("root"));
  });

  it("a file that isn't there, by the field that names it", async () => {
    for (const fields of [
      { trustedCa: "/nowhere" },
      { certificate: "/nowhere" },
      { certificateKey: "/nowhere" },
      { user: "ann", passwordFile: "/nowhere" },
    ]) {
      const field = Object.keys(fields).at(-1) ?? "";
      const message = `${join(etcd.directory, "missing.json")}: ${field}: there is no /nowhere`;
      const failure = { code: "configuration/missing", message };
      await expect(open("missing", fields)).rejects.toMatchObject(failure);
    }
  });

  it("a file that is no certificate, and a server that isn't etcd", async () => {
    const trustedCa = join(etcd.directory, "no.pem");
    writeFileSync(trustedCa, "no certificate\n");
    await expectFailure(
      readRoster(await open("no", { trustedCa })),
      "source/certificate",
      /trustedCa/u,
    );
    const [cert, key] = ["pem", "private"].map((end) =>
      readFileSync(join(etcd.directory, `member.${end}`)),
    );
    const server = createSecureServer({ cert: cert ?? "", key: key ?? "" }, (_, response) => {
      response.writeHead(404).end("not found");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const endpoints = [`https://127.0.0.1:${String((server.address() as AddressInfo).port)}`];
    await expectFailure(
      readRoster(await open("web", { endpoints })),
      "source/failed",
      /status 12/u,
    );
    server.close();
  });
});

describe("etcd without space", () => {
  it("refuses what is written, and goes on giving what it has", async () => {
    await using small = await EtcdCluster.start([`--quota-backend-bytes=${String(2 ** 20)}`]);
    const file = small.configuration("root", { ...small.issue("root"), deadline: 3 });
    const source = await openSource(`etcd:${file}`, "/");
    await source.write("nodes/n1", bytes("1"));
    const fill = async (): Promise<void> => {
      for (let number = 0; number < 20; number++)
        await source.write(`nodes/${String(number)}`, new Uint8Array(500_000));
    };
    await expectFailure(fill(), "source/full", /NOSPACE/u);
    expect(await source.read("nodes/n1", 100)).toEqual(bytes("1"));
  });
});
