import { expect, it } from "vitest";
import { answersOf } from "../../src/agent/answers.ts";
import { utf8 } from "../../src/crypto/bytes.ts";
import { failureOf } from "../fixtures/refusal.ts";

const wanted = { renders: new Map(), commands: ["run --bundle dns -- /nix/store/program"] };
const answers = (names: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> =>
  answersOf("dns.service", wanted, new Map(names.map((name) => [name, utf8(name)])));

it("a credential that has the manifest's name is refused, since the unit would get the manifest for it", async () => {
  expect([...(await answers(["A", "B"])).keys()]).toEqual(["A", "B", "sealaunch"]);
  const failure = await failureOf(() => answers(["A", "sealaunch"]));
  expect(failure?.code).toBe("usage/invalid");
  expect(failure?.message).toContain("dns.service would get a credential called sealaunch");
});
