import { hex, utf8 } from "../../src/crypto/bytes.ts";
import { sha256 } from "../../src/crypto/digest.ts";
import { sampleStatement } from "../formats/samples.ts";
import {
  countFaults,
  hashFaults,
  segmentFaults,
  spell,
  spellingFaults,
  timeFaults,
  validVector,
  vectorsOf,
} from "./breaking.ts";
import { wrongSigners } from "./records.ts";
import type { Vector } from "./vector-file.ts";

const statement = sampleStatement({
  hash: hex(sha256(utf8("payload"))),
  sizeClass: 1024,
  commitment: hex(sha256(utf8("commitment"))),
});
const token = statement.credentials[0] as object;
const malformed = vectorsOf("statement", "statement/malformed");
const changed = (name: string, comment: string, change: object): Vector =>
  malformed(name, comment, spell({ ...statement, ...change }));
const credentials = (name: string, comment: string, ...list: unknown[]): Vector =>
  changed(name, comment, { credentials: list });
const credential = (name: string, comment: string, change: object): Vector =>
  credentials(name, comment, { ...token, ...change });
const bundle = (name: string, comment: string, text: string): Vector =>
  changed(`bundle-${name}`, comment, { name: text });
const unit = (name: string, comment: string, ...units: string[]): Vector =>
  changed(`unit-${name}`, comment, { units });

const main = { pool: "main", epoch: 2 };
const edge = { pool: "edge", epoch: 1 };
const poolNames = Array.from({ length: 65 }, (_, index) => `pool-${String(100 + index)}`);

/** The vectors of statements. */
export const statementVectors: readonly Vector[] = [
  validVector("statement", statement),
  { ...validVector("statement", { ...statement, units: [] }), name: "valid-no-units" },
  {
    ...validVector("statement", { ...statement, audience: poolNames.slice(1) }),
    name: "valid-64-pools",
  },
  ...spellingFaults("statement", "statement/malformed", statement),
  ...timeFaults("statement", "statement/malformed", statement, "expires"),
  ...countFaults("statement", "statement/malformed", statement, "series"),
  ...hashFaults("statement", "statement/malformed", (payload) => ({
    ...statement,
    credentials: [{ ...token, payload }],
  })),
  ...segmentFaults("statement", "statement/malformed", (name) => ({
    ...statement,
    credentials: [{ ...token, name: name === "Main" ? "Ma/in" : name }],
  })),
  ...Object.entries(wrongSigners).map(([name, [comment, text]]) =>
    credential(name, comment, { sealedBy: text }),
  ),
  changed("generation-zero", "generation 0", { generation: 0 }),
  changed("roster-generation-zero", "sealed against roster 0", { rosterGeneration: 0 }),
  changed("audience-none", "no pool", { audience: [] }),
  changed("audience-unsorted", "pools in falling order", { audience: ["main", "edge"] }),
  changed("audience-doubled", "a pool twice", { audience: ["main", "main"] }),
  changed("audience-65", "65 pools", { audience: poolNames }),
  changed("audience-text", "a pool's name for a list", { audience: "main" }),
  changed("audience-number", "a number among the pools", { audience: ["edge", 1] }),
  changed("in-place-text", "yes for true", { inPlace: "yes" }),
  changed("in-place-number", "1 for true", { inPlace: 1 }),
  changed("previous-empty", "an empty text for no hash", { previous: "" }),
  changed("created-null", "no time of creation", { created: null }),
  bundle("parent", "a bundle that climbs", "dns/../billing"),
  bundle("empty-segment", "an empty segment", "a//b"),
  bundle("leading-slash", "an absolute path", "/dns"),
  bundle("trailing-slash", "a slash at the end", "dns/"),
  bundle("values", "a segment values", "dns/values"),
  bundle("signatures", "a segment signatures", "signatures/dns"),
  bundle("generation", "a segment like a generation", "dns/0.1"),
  bundle("hash", "a segment like a hash", `dns/${"ab".repeat(32)}`),
  bundle("hidden", "a segment that begins with a dot", "dns/.git"),
  bundle("backslash", "a backslash", "dns\\resolver"),
  bundle("too-long", "129 letters in all", `${"d".repeat(64)}/${"n".repeat(64)}`),
  unit("glob", "a unit with a star", "dns*.service"),
  unit("two-at", "a unit with two @", "dns@a@b.service"),
  unit("slash", "a unit with a slash", "dns/a.service"),
  unit("blank", "a unit with a blank", "dns a.service"),
  unit("empty", "an empty unit", ""),
  unit("at", "every instance of nothing", "@"),
  unit("unsorted", "units in falling order", "web.service", "dns.service"),
  unit("doubled", "a unit twice", "dns.service", "dns.service"),
  credentials("credentials-none", "no credential"),
  credentials("credentials-doubled", "a credential twice", token, token),
  credentials("credentials-unsorted", "credentials in falling order", token, {
    ...token,
    name: "a",
  }),
  credentials("credentials-null", "null for a credential", null),
  credential("size-class-between", "a size between two classes", { sizeClass: 1000 }),
  credential("size-class-zero", "size class 0", { sizeClass: 0 }),
  credential("size-class-small", "a class below the smallest", { sizeClass: 512 }),
  credential("size-class-large", "a class above the largest", { sizeClass: 4194304 }),
  credential("size-class-fraction", "a size that is no integer", { sizeClass: 1024.5 }),
  credential("commitment-short", "a commitment of 63 digits", { commitment: "c".repeat(63) }),
  credential("epochs-none", "sealed for no epoch", { epochs: [] }),
  credential("epochs-unsorted", "epochs in falling order", { epochs: [main, edge] }),
  credential("epochs-doubled", "two epochs of one pool", { epochs: [main, { ...main, epoch: 3 }] }),
  credential("epoch-zero", "epoch 0", { epochs: [{ ...main, epoch: 0 }] }),
  credential("value", "a value in the clear", { value: "aGVsbG8=" }),
  credential("sealed-by-null", "sealed by nobody", { sealedBy: null }),
];
