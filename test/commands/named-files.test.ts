import { afterAll, describe, expect, it } from "vitest";
import type { FailureCode } from "../../src/failure.ts";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { Workplace } from "../fixtures/worked-example.ts";

const place = Workplace.followed();
afterAll(() => {
  place[Symbol.dispose]();
});

describe("a file that the command line or git's configuration names", () => {
  it.for<[string, string]>([
    [
      "a signer's key",
      "ln -s bea.pub link.pub && sealaunch roster add-signer bea link.pub --name dns --yes",
    ],
    [
      "the key that git's configuration names",
      "mv ~/.ssh/id_ed25519.pub key.pub && ln -s $PWD/key.pub ~/.ssh/id_ed25519.pub && sealaunch seal dns --generate B",
    ],
    ["a credential's value", "ln -s token link && sealaunch seal dns A=link"],
    [
      "variables",
      "echo C=value >variables && ln -s variables env && sealaunch seal dns --from-env-file env",
    ],
  ])("may be a link: %s", ([, command]) => {
    expectDone(place.run(command, place.directory));
  });

  it.for<[FailureCode, string, string]>([
    ["source/hostile", "identity show .", "is no plain file"],
    ["source/hostile", "open dns CF_TOKEN --identity keys", "is no plain file"],
    ["credential/too-large", "seal dns A=keys", "standard input: A=-"],
    ["credential/too-large", "seal dns A=/dev/zero", "standard input: A=-"],
    ["usage/value-in-argument", "seal dns A=", "nothing follows '='"],
    ["credential/unreadable", "seal dns --from-env ABSENT", "export it"],
    ["write/refused", "sync --to token", "ENOTDIR"],
    ["write/refused", "sync --to /proc/absent", "ENOENT"],
    ["identity/malformed", "open dns CF_TOKEN --identity bea", "bea is not one identity"],
    ["signer/none", "seal dnss A=token --pool web", "roster add-signer NAME KEY.pub --name dnss"],
    ["configuration/missing", "verify --config absent", "hint: check the path"],
  ])("is refused with %s: %s", ([code, command, told]) => {
    expect(expectRefused(place.run(`sealaunch ${command}`), code).stderr).toContain(told);
  });
});
