import { expect, it } from "vitest";
import { utf8 } from "../../src/crypto/bytes.ts";
import { decodeDecision, encodeDecision, type Decision } from "../../src/formats/decision.ts";

const decision: Decision = {
  version: 1,
  unit: "dns.service",
  invocation: "0123456789abcdef0123456789abcdef",
  at: "2026-11-28T09:00:00Z",
  bundles: [
    { bundle: "dns", series: 0, generation: 17, statement: "a".repeat(64), signers: ["ann"] },
  ],
  credentials: ["CF_TOKEN"],
  payloads: [{ bundle: "dns", credential: "CF_TOKEN", payload: "d".repeat(64) }],
  renders: [{ credential: "dns.conf", template: `/nix/store/${"a".repeat(32)}-dns.conf` }],
  commands: ["run --bundle dns -- /bin/true"],
  programs: [`/nix/store/${"b".repeat(32)}-dns/bin/dns`],
  files: [`/nix/store/${"c".repeat(32)}-sealaunch-wrapper/bin/sealaunch`],
};
const path = "/run/sealaunch/decisions/x.json";

it("a decision is read as it was written", () => {
  expect(decodeDecision(encodeDecision(decision), path)).toEqual(decision);
});

it("a decision that was cut short is refused, wherever", () => {
  const whole = encodeDecision(decision);
  for (let size = 0; size < whole.length - 1; size++) {
    expect(() => decodeDecision(whole.subarray(0, size), path)).toThrow(
      expect.objectContaining({ code: "configuration/invalid" }) as Error,
    );
  }
});

it.for<[string, object]>([
  ["of another version", { version: 2 }],
  ["with a field that it doesn't know", { more: true }],
  ["for what is no unit", { unit: "../dns.service" }],
  ["for what is no start", { invocation: "0123" }],
  ["on no generation", { bundles: [{ ...decision.bundles[0], generation: 0 }] }],
])("a decision is refused %s", ([, change]) => {
  const bytes = utf8(JSON.stringify({ ...decision, ...change }));
  expect(() => decodeDecision(bytes, path)).toThrow(
    expect.objectContaining({ code: "configuration/invalid" }) as Error,
  );
});
