import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parsePathInfo, type ValidPath } from "../../src/host/nix/path-info.ts";
import { refusal } from "../fixtures/refusal.ts";
import { TestStore } from "../fixtures/store.ts";

// One store path in each of the ways in which versions of Nix tell it. What each version writes, and the two
// hashes in each spelling, are of Nix's own test data: github.com/NixOS/nix,
// src/libstore-tests/data/path-info/ at f9089deb (json-1), ac274952 (json-2) and 133c8bcf (json-3), and before
// them at 4f1c8f62; what is around it, of doc/manual/rl-next/json-format-changes.md at 9246dca5.
const [self, other] = [
  "n5wkd9frr45pa74if5gpz9j7mifg27fh-foo",
  "g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-bar",
];
const narSri = "sha256-FePFYIlMuycIXPZbWi7LGEiMmZSX9FMbaQenWBzm1Sc=";
const nar32 = "sha256:09ymwqf5i9q7d4dm7x4pjjcqqj0qrcp5lnznbh42gfsci5hcbqqm";
const narHex = "15e3c560894cbb27085cf65b5a2ecb18488c999497f4531b6907a7581ce6d527";
const caSri = "sha256-EMIJ+giQ/gLIWoxmPKjno3zHZrxbGymgzGGyZvZBIdM=";
const ca = "fixed:r:sha256:1lr187v6dck1rjh2j6svpikcfz53wyl3qrlcbb405zlh13x0khhh";
const signature = `${"A".repeat(86)}==`;

const known: ValidPath = {
  storePath: `/nix/store/${self}`,
  narHash: nar32,
  narSize: 34878,
  references: [`/nix/store/${other}`, `/nix/store/${self}`],
  deriver: `/nix/store/${other}.drv`,
  signatures: [`asdf:${signature}`, `qwer:${signature}`],
  ca,
};

const whole = {
  narSize: 34878,
  references: [`/nix/store/${other}`, `/nix/store/${self}`],
  deriver: `/nix/store/${other}.drv`,
  registrationTime: 23423,
  signatures: [`asdf:${signature}`, `qwer:${signature}`],
  ultimate: true,
};
const names = { ...whole, references: [other, self], deriver: `${other}.drv` };

const forms: readonly (readonly [string, unknown])[] = [
  ["2.8, a list", [{ path: known.storePath, narHash: nar32, ca, ...whole }]],
  [
    "2.18, the same with SRI",
    [{ path: known.storePath, narHash: narSri, valid: true, ca, ...whole }],
  ],
  ["2.19, an object by path", { [known.storePath]: { narHash: narSri, ca, ...whole } }],
  [
    "2.33 with --json-format 1",
    { [known.storePath]: { narHash: narSri, ca, storeDir: "/nix/store", version: 1, ...whole } },
  ],
  [
    "2.33 while its hashes were objects",
    {
      version: 2,
      storeDir: "/nix/store",
      info: {
        [self]: {
          narHash: { algorithm: "sha256", format: "base16", hash: narHex },
          ca: { method: "nar", hash: caSri },
          ...names,
        },
      },
    },
  ],
  [
    "2.33 with --json-format 2",
    {
      version: 2,
      storeDir: "/nix/store",
      info: { [self]: { narHash: narSri, ca: { method: "nar", hash: caSri }, ...names } },
    },
  ],
  [
    "its successors with --json-format 3",
    {
      version: 3,
      storeDir: "/nix/store",
      info: {
        [self]: {
          narHash: narSri,
          ca: { method: "nar", hash: caSri },
          ...names,
          signatures: [
            { keyName: "asdf", sig: signature },
            { keyName: "qwer", sig: signature },
          ],
        },
      },
    },
  ],
];

describe("what nix path-info tells", () => {
  it.for(forms)("is read as Nix %s writes it", ([, said]) => {
    expect(parsePathInfo(said)).toEqual([known]);
  });

  it.for([
    ["flat", `fixed:${ca.slice("fixed:r:".length)}`],
    ["text", `text:${ca.slice("fixed:r:".length)}`],
    ["git", undefined],
  ])("of a path that is named by its content, %s, is what a narinfo says", ([method, expected]) => {
    const info = { narHash: narSri, narSize: 1, ca: { method, hash: caSri } };
    expect(parsePathInfo({ [self]: info })[0]?.ca).toBe(expected);
  });

  it("of a path without references, deriver, signatures and content address is as little", () => {
    const info = {
      narHash: narSri,
      narSize: 0,
      ca: null,
      deriver: null,
      references: [],
      signatures: [],
    };
    const none = { references: [], deriver: undefined, signatures: [], ca: undefined };
    expect(parsePathInfo({ version: 2, info: { [self]: info } })).toEqual([
      { storePath: known.storePath, narHash: nar32, narSize: 0, ...none },
    ]);
  });

  it.for([
    ["is null", null],
    ["has no hash", { narSize: 1 }],
    ["has a hash that is none", { narSize: 1, narHash: "sha256-AAAA" }],
    ["has no size", { narHash: narSri }],
  ] as const)("of a path that %s is refused", async ([, info]) => {
    expect(await refusal(() => parsePathInfo({ [known.storePath]: info }))).toBe("store/failed");
  });
});

describe("this machine's Nix", () => {
  let store: TestStore;
  beforeAll(() => {
    store = new TestStore();
  });
  afterAll(() => {
    store[Symbol.dispose]();
  });

  it("tells what nix-store does of the same paths", () => {
    const paths = store.add([{ name: "libc" }, { name: "dns", references: ["libc"] }]);
    const said = store.nix(["path-info", "--json", "--recursive", paths.get("dns") ?? ""]);
    const found = parsePathInfo(JSON.parse(said));
    expect(found.map(({ storePath }) => storePath).sort()).toEqual([...paths.values()].sort());
    for (const { storePath, narHash, narSize, references } of found) {
      const query = (what: string): string => store.store(["--query", what, storePath]).trim();
      expect(narHash).toBe(query("--hash"));
      expect(narSize).toBe(Number(query("--size")));
      expect(references).toEqual(query("--references").split("\n").sort());
    }
  });
});
