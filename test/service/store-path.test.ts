import { describe, expect, it } from "vitest";
import { parseProgram } from "../../src/service/store-path.ts";
import { refusal } from "../fixtures/refusal.ts";

const hash = "0123456789abcdfghijklmnpqrsvwxyz";
const storePath = `/nix/store/${hash}-libsigc++-2.0_?=x`;

describe("a program in the Nix store", () => {
  it.each(["bin/service", "bin/a b", "share/x=y/ü", "libexec/.hidden"])(
    "has its store path before it: %s",
    (below) => {
      const path = `${storePath}/${below}`;
      expect(parseProgram(path)).toEqual({ storePath, path });
    },
  );

  it.each([
    "",
    "service",
    "/bin/true",
    storePath,
    `${storePath}/`,
    `/nix/store/${hash}/bin/x`,
    `/nix/store/${hash}-/bin/x`,
    `/nix/store/${hash.replace("a", "e")}-x/bin/x`,
    `/nix/store/${hash.slice(1)}-x/bin/x`,
    `/nix/store/${hash.toUpperCase()}-x/bin/x`,
    `/nix/store/${hash}-a/../../bin/x`,
    `/nix/store/./${hash}-a/bin/x`,
    `${storePath}/bin/../../x`,
    `${storePath}/./bin/x`,
    ` ${storePath}/bin/x`,
    `${storePath}/bin/x\0`,
    `${storePath}/bin/\ufffd`,
    `/nix/store/${hash}-x y/bin/x`,
    `/nix/store/${hash}-${"x".repeat(212)}/bin/x`,
    `/nix/store/${hash}-x.drv/bin/x`,
  ])("is refused: %j", async (path) => {
    expect(await refusal(() => parseProgram(path))).toBe("closure/not-in-store");
  });
});
