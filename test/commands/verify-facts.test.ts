import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createIdentity } from "../../src/crypto/identity.ts";
import { exitStatus, failures, type FailureCode } from "../../src/failure.ts";
import { entryPath, headerPath, payloadPath } from "../../src/formats/paths.ts";
import type { StatementCredential } from "../../src/formats/records/statement.ts";
import { hostKey, manager, root, signer, stranger, TestCluster } from "../fixtures/cluster.ts";
import { sealaunch } from "../fixtures/program.ts";

let test: TestCluster;
let sealed: StatementCredential;
beforeEach(async () => {
  test = await TestCluster.create();
  const { cluster } = test.roster({});
  const configuration = { cluster, source: "dir:.", roots: [root.key], threshold: 1 };
  await writeFile(join(test.directory, "sealaunch.json"), JSON.stringify(configuration));
  const { credentials } = await test.withBundle({}, { CF_TOKEN: "canary" });
  const [first] = credentials;
  if (first === undefined) throw new Error("the test's bundle has no credential");
  sealed = first;
});
afterEach(() => test[Symbol.asyncDispose]());

interface Found {
  readonly object: string;
  readonly failures: readonly { readonly code: FailureCode; readonly message: string }[];
}

/** What `verify` finds, `OBJECT CODE MESSAGE`; it ends with the first's status. */
async function found(): Promise<string[]> {
  const { status, stdout } = await sealaunch(["verify", "--json"], { cwd: test.directory });
  const all = JSON.parse(stdout.toString()) as Found[];
  const codes = all.flatMap((one) => one.failures.map(({ code }) => code));
  const [first] = codes;
  expect(status).toBe(first === undefined ? 0 : exitStatus[failures[first][0]]);
  return all.flatMap(({ object, failures }) =>
    failures.map(({ code, message }) => `${object} ${code} ${message}`),
  );
}

const change = async (object: string, edit: (bytes: Uint8Array) => Uint8Array): Promise<void> =>
  writeFile(test.path(object), edit(await readFile(test.path(object))));

const tampered = (bytes: Uint8Array): Uint8Array =>
  bytes.map((byte, at) => (at === 40 ? byte ^ 1 : byte));

const header = (): string => headerPath("web", 1, "dns", sealed.payload);

describe("verify, without any key,", () => {
  it("finds nothing where all holds", async () => {
    expect(await found()).toEqual([]);
  });

  it.for<[FailureCode, what: RegExp, () => Promise<unknown>]>([
    [
      "entry/absent",
      /^pool web .+ node n1/u,
      () => rm(test.path(entryPath("web", 1, test.node.recipient))),
    ],
    [
      "entry/absent",
      /^pool web .+ operator offline/u,
      () => rm(test.path(entryPath("web", 1, test.operator.recipient))),
    ],
    [
      "entry/absent",
      /^pool web .+ operator second/u,
      () =>
        test.withRoster({
          operators: [
            { name: "offline", recipient: test.operator.recipient },
            { name: "second", recipient: createIdentity().recipient },
          ],
        }),
    ],
    [
      "payload/altered",
      /^pool web .+ entry of .+: it has /u,
      () => change(entryPath("web", 1, test.node.recipient), (bytes) => bytes.slice(0, -1)),
    ],
    ["signature/unknown-signer", /^pool web /u, () => test.withPool({}, [stranger])],
    [
      "signature/unknown-signer",
      /^bundle dns /u,
      () => test.withBundle({}, { A: "x" }, [stranger]),
    ],
    [
      "signer/not-allowed",
      /^bundle app .+ada.+ dns, web\//u,
      () => test.withBundle({ name: "app" }, { A: "x" }, [signer]),
    ],
    ["header/absent", /^bundle dns .+web epoch 1/u, () => rm(test.path(header()))],
    [
      "header/absent",
      /^bundle dns .+web epoch 2/u,
      async () => {
        const current = { epoch: 2, recipient: test.poolIdentity.recipient };
        await test.withPool({ current }, [manager]);
        await test.withEntry(test.node, test.poolIdentity, 2);
        await test.withEntry(test.operator, test.poolIdentity, 2);
      },
    ],
    ["header/malformed", /^bundle dns /u, () => change(header(), (bytes) => bytes.slice(1))],
    [
      "payload/hash",
      /^bundle dns .+CF_TOKEN/u,
      () => change(payloadPath("dns", sealed.payload), tampered),
    ],
    [
      "payload/malformed",
      /^bundle dns .+size class 2048/u,
      async () => {
        const { statement } = test.bundle({}, { CF_TOKEN: "x" });
        await test.withStatement({ ...statement, credentials: [{ ...sealed, sizeClass: 2048 }] });
      },
    ],
    [
      "usage/bad-name",
      /^bundle dns .+ more than 83 bytes/u,
      () => test.withBundle({ units: [`${"u".repeat(70)}.service`] }, { CF_TOKEN: "x" }),
    ],
    [
      "members/hash",
      /^pool web /u,
      () =>
        change("pools/web/1/members.json", (bytes) =>
          Buffer.from(Buffer.from(bytes).toString().replace("n1", "n9")),
        ),
    ],
    [
      "bundle/expired",
      /^bundle dns /u,
      () => test.withBundle({ expires: "2026-11-25T13:00:00Z" }, { A: "x" }),
    ],
    [
      "value/owed",
      /^bundle dns .+CF_TOKEN/u,
      () => test.withPool({ current: { epoch: 2, recipient: test.poolIdentity.recipient } }),
    ],
  ])("finds %s: %s", async ([code, what, breakIt]) => {
    await breakIt();
    const all = await found();
    expect(all.some((one) => one.includes(` ${code} `) && what.test(one))).toBe(true);
  });

  it("names each node that has no entry", async () => {
    const n2 = { node: "n2", recipient: createIdentity().recipient, hostKey: hostKey.key };
    await test.withPool({}, [manager], [test.member(), n2]);
    expect((await found()).join("\n")).toMatch(/pool web entry\/absent .+ node n2/u);
  });
});
