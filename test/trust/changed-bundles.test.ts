import { expect, it } from "vitest";
import type { StatementCredential } from "../../src/formats/records/statement.ts";
import { changedBundles } from "../../src/trust/changed-bundles.ts";

const credential = (name: string, payload: string): StatementCredential => ({
  name,
  payload,
  sizeClass: 1024,
  commitment: "0",
  sealed: "2026-11-25T12:00:00Z",
  sealedBy: "ssh-ed25519 AAAA" as StatementCredential["sealedBy"],
  epochs: [],
});
const served = [
  { bundle: "dns", credential: "A", payload: "a1" },
  { bundle: "dns", credential: "B", payload: "b1" },
  { bundle: "web", credential: "C", payload: "c1" },
];
const web = { name: "web", credentials: [credential("C", "c1")] };

it.each([
  ["says the same anew", ["A a1", "B b1"], []],
  ["has one more credential", ["A a1", "B b1", "D d1"], []],
  ["has another value for one that the service hasn't", ["A a1", "B b1", "D d2"], []],
  ["has another value", ["A a2", "B b1"], ["dns"]],
  ["has other values for all", ["A a2", "B b2"], ["dns"]],
  ["lacks one", ["A a1"], ["dns"]],
  ["has exchanged two", ["A b1", "B a1"], ["dns"]],
])("a bundle whose newest generation %s: %j changes %j", (_, credentials, expected) => {
  const dns = {
    name: "dns",
    credentials: credentials.map((text) => {
      const [name = "", payload = ""] = text.split(" ");
      return credential(name, payload);
    }),
  };
  expect(changedBundles(served, [dns, web]).map(({ name }) => name)).toEqual(expected);
});
