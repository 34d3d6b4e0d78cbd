import { concatBytes, textOf, utf8 } from "../../src/crypto/bytes.ts";
import type { FailureCode } from "../../src/failure.ts";
import { encodeRecord } from "../../src/formats/canonical.ts";
import type { Vector, VectorObject } from "./vector-file.ts";

// How a valid object is broken in exactly one place.

/** `text` as bytes, with the one occurrence of `from` replaced. */
export function replaceOnce(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const text = textOf(bytes) ?? "";
  if (text.split(from).length !== 2) {
    throw new Error(`internal: ${JSON.stringify(from)} does not stand there exactly once`);
  }
  return utf8(text.replace(from, () => to));
}

/** `bytes` with one bit flipped. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

/** A record of whatever values, in the spelling of records. */
export function spell(record: object): Uint8Array {
  return encodeRecord(record);
}

/** Makes the vectors of one kind of object, which share the code that they end in. */
export function vectorsOf(
  object: VectorObject,
  expect: FailureCode,
): (name: string, comment: string, bytes: Uint8Array) => Vector {
  return (name, comment, bytes) => ({ object, name, expect, comment, fields: {}, bytes });
}

/** The valid record itself, as the vector that shows what the others have been made of. */
export function validVector(object: VectorObject, record: object): Vector {
  const comment = "as it should be";
  return { object, name: "valid", expect: "success", comment, fields: {}, bytes: spell(record) };
}

/** Everything that any record can get wrong as a text: one meaning has one spelling. */
export function spellingFaults(
  object: VectorObject,
  expect: FailureCode,
  record: object,
): readonly Vector[] {
  const vector = vectorsOf(object, expect);
  const bytes = spell(record);
  const text = textOf(bytes) ?? "";
  const { type, version, ...rest } = record as { type: string; version: number };
  const [firstField = "", firstValue] = Object.entries(rest)[0] ?? [];
  const firstLine = `  "${firstField}": ${JSON.stringify(firstValue)},\n`;
  const last = Object.keys(rest).at(-1) ?? "";
  return [
    vector("bom", "a byte order mark", concatBytes(Uint8Array.of(0xef, 0xbb, 0xbf), bytes)),
    vector("no-final-newline", "no final newline", bytes.slice(0, -1)),
    vector("two-final-newlines", "two final newlines", concatBytes(bytes, utf8("\n"))),
    vector("trailing-bytes", "bytes after the end", concatBytes(bytes, utf8("x\n"))),
    vector("trailing-nul", "a NUL byte after the end", concatBytes(bytes, Uint8Array.of(0))),
    vector("leading-blank", "a blank in front", concatBytes(utf8(" "), bytes)),
    vector("crlf", "lines end in CRLF", utf8(text.replaceAll("\n", "\r\n"))),
    vector("compact", "without white space", utf8(`${JSON.stringify(record)}\n`)),
    vector("tabs", "indented by tabs", utf8(`${JSON.stringify(record, null, "\t")}\n`)),
    vector("doubled-field", "a field twice", replaceOnce(bytes, firstLine, firstLine + firstLine)),
    vector(
      "doubled-type",
      "the type twice, the second time another",
      replaceOnce(bytes, `"type": "${type}",`, `"type": "${type}",\n  "type": "other",`),
    ),
    vector("unknown-field", "a field that no version has", spell({ ...record, comment: "hello" })),
    vector(
      "proto-field",
      "a field __proto__",
      replaceOnce(bytes, '{\n  "type"', '{\n  "__proto__": {},\n  "type"'),
    ),
    vector("no-type", "no type", spell({ version, ...rest })),
    vector("type-other", "another object's type", spell({ ...record, type: "inventory" })),
    vector(
      "type-upper-case",
      "the type in upper case",
      spell({ ...record, type: type.toUpperCase() }),
    ),
    vector("no-version", "no version", spell({ type, ...rest })),
    vector("version-0", "version 0", spell({ ...record, version: 0 })),
    vector("version-2", "version 2", spell({ ...record, version: 2 })),
    vector("version-text", "the version as text", spell({ ...record, version: "1" })),
    vector(
      "version-fraction",
      "the version as 1.0",
      replaceOnce(bytes, '"version": 1,', '"version": 1.0,'),
    ),
    vector("fields-out-of-order", "version before type", spell({ version, type, ...rest })),
    vector(
      "missing-field",
      `no ${last}`,
      spell(Object.fromEntries(Object.entries(record).filter(([name]) => name !== last))),
    ),
    vector("null-field", `${firstField} is null`, spell({ ...record, [firstField]: null })),
    vector(
      "escaped-letter",
      "a letter written as an escape",
      replaceOnce(
        bytes,
        `"type": "${type}"`,
        `"type": "\\u00${type.charCodeAt(0).toString(16)}${type.slice(1)}"`,
      ),
    ),
    vector("array", "an array around it", spell([record])),
    vector("not-json", "a comma too many", replaceOnce(bytes, '"version": 1,', '"version": 1,,')),
    vector(
      "not-utf-8",
      "a byte that is no UTF-8",
      concatBytes(bytes.subarray(0, 5), Uint8Array.of(0xff), bytes.subarray(6)),
    ),
    vector("cut-short", "cut in the middle", bytes.slice(0, bytes.length >> 1)),
    vector("empty", "no bytes at all", new Uint8Array(0)),
  ];
}

/** Ways to write a count, beginning with 3, that are none. */
export function countFaults(
  object: VectorObject,
  expect: FailureCode,
  record: object,
  field: string,
): readonly Vector[] {
  const vector = vectorsOf(object, expect);
  const bytes = spell({ ...record, [field]: 3 });
  const spelled = (literal: string): Uint8Array =>
    replaceOnce(bytes, `"${field}": 3`, `"${field}": ${literal}`);
  const named = (name: string): string => `${field.toLowerCase()}-${name}`;
  return [
    vector(named("negative"), `${field} below zero`, spelled("-1")),
    vector(named("too-large"), `${field} is 2^48 + 1`, spelled("281474976710657")),
    vector(named("inexact"), `${field} is 2^53 + 1`, spelled("9007199254740993")),
    vector(named("exponent"), `${field} is 3 written as 3e0`, spelled("3e0")),
    vector(named("fraction"), `${field} is 3 written as 3.0`, spelled("3.0")),
    vector(named("half"), `${field} is 3.5`, spelled("3.5")),
    vector(named("leading-zero"), `${field} is 3 written as 03`, spelled("03")),
    vector(named("plus"), `${field} is 3 written as +3`, spelled("+3")),
    vector(named("text"), `${field} is the text 3`, spelled('"3"')),
    vector(named("minus-zero"), `${field} is -0`, spelled("-0")),
    vector(named("infinite"), `${field} is 1e999`, spelled("1e999")),
  ];
}

/** Ways to write a time that are none. */
export function timeFaults(
  object: VectorObject,
  expect: FailureCode,
  record: object,
  field: string,
): readonly Vector[] {
  const vector = vectorsOf(object, expect);
  const at = (name: string, comment: string, time: unknown): Vector =>
    vector(`${field.toLowerCase()}-${name}`, comment, spell({ ...record, [field]: time }));
  return [
    at("february-30", "a day that no year has", "2026-02-30T12:00:00Z"),
    at("february-29", "a day that 2026 hasn't", "2026-02-29T12:00:00Z"),
    at("no-z", "a time of no zone", "2026-11-25T12:00:00"),
    at("offset", "UTC by offset", "2026-11-25T12:00:00+00:00"),
    at("fraction", "milliseconds", "2026-11-25T12:00:00.000Z"),
    at("lower-case", "lower-case letters", "2026-11-25t12:00:00z"),
    at("blank", "a blank for the T", "2026-11-25 12:00:00Z"),
    at("hour-24", "midnight as hour 24", "2026-11-25T24:00:00Z"),
    at("leap-second", "second 60", "2026-12-31T23:59:60Z"),
    at("no-seconds", "no seconds", "2026-11-25T12:00Z"),
    at("year-10000", "a year of six digits", "+010000-01-01T00:00:00Z"),
    at("date", "a day alone", "2026-11-25"),
    at("number", "seconds since 1970", 1795608000),
  ];
}

/** Ways to write a hash that are none. */
export function hashFaults(
  object: VectorObject,
  expect: FailureCode,
  make: (hash: string) => object,
): readonly Vector[] {
  const vector = vectorsOf(object, expect);
  const hash = "ab".repeat(32);
  return [
    vector("hash-upper-case", "a hash in upper case", spell(make(hash.toUpperCase()))),
    vector("hash-short", "a hash of 63 digits", spell(make(hash.slice(1)))),
    vector("hash-long", "a hash of 65 digits", spell(make(`${hash}a`))),
    vector("hash-newline", "a hash and a newline", spell(make(`${hash}\n`))),
    vector("hash-not-hex", "a hash with a g", spell(make(`${hash.slice(1)}g`))),
  ];
}

/** Names of one segment that are none: a path, a case, a letter, a size. */
export function segmentFaults(
  object: VectorObject,
  expect: FailureCode,
  make: (name: string) => object,
): readonly Vector[] {
  const vector = vectorsOf(object, expect);
  return [
    vector("name-parent", "a name ..", spell(make(".."))),
    vector("name-slash", "a name of two segments", spell(make("a/b"))),
    vector("name-empty", "an empty name", spell(make(""))),
    vector("name-dash", "a name like an option", spell(make("-f"))),
    vector("name-upper-case", "a name in upper case", spell(make("Main"))),
    vector("name-blank", "a name with a blank", spell(make("a b"))),
    vector("name-newline", "a name with a newline at its end", spell(make("main\n"))),
    vector("name-nul", "a name with a NUL", spell(make("main\0"))),
    vector("name-not-ascii", "a name with an umlaut", spell(make("mäin"))),
    vector("name-too-long", "a name of 129 letters", spell(make("m".repeat(129)))),
    vector("name-surrogate", "half a character, as an escape", spell(make("\ud800"))),
  ];
}
