import { describe, expect, it } from "vitest";
import { parseOptions } from "../../examples/dns-records/service/options.ts";
import { parseName, parseRecords } from "../../examples/dns-records/service/records.ts";
import { parseTransfer, planOf } from "../../examples/dns-records/service/zone.ts";

describe("the service's command line", () => {
  const whole = [
    "--zone",
    "example.org",
    "--server",
    "ns1",
    "--etcd",
    "https://a",
    "--etcd-ca",
    "b",
  ];

  it.for([
    [["--zone", "example.org"], "--server is missing"],
    [[...whole, "--every", "soon"], "--every soon is no number of seconds"],
    [[...whole, "--every", "0"], "--every 0 is no number of seconds"],
    [[...whole, "--name", "x"], "Unknown option '--name'"],
    [whole, "there is no $CREDENTIALS_DIRECTORY"],
  ] as const)("%j is refused: %s", ([args, why]) => {
    expect(() => parseOptions(args, {})).toThrow(why);
  });
});

describe("a value of etcd", () => {
  it.for([
    ["A 192.0.2.7", ["A 192.0.2.7"]],
    ["AAAA 2001:0DB8:0::0007", ["AAAA 2001:db8::7"]],
    ["A 192.0.2.8\nA 192.0.2.7\nA 192.0.2.8\n", ["A 192.0.2.7", "A 192.0.2.8"]],
    [String.raw`TXT say "a\b"`, [String.raw`TXT "say \"a\\b\""`]],
    ["TXT a  b", ['TXT "a  b"']],
    ["", []],
  ] as const)("%j is %j", ([value, records]) => {
    expect(parseRecords(value)).toEqual(records);
  });

  it.for([
    "A 192.0.2.256",
    "A 192.0.2.7 extra",
    "AAAA 192.0.2.7",
    "AAAA fe80::1%eth0",
    "CNAME www",
    "a 192.0.2.7",
    "A 192.0.2.7\nserver 203.0.113.1",
    "TXT tab\there",
    "TXT ü",
    `TXT ${"x".repeat(256)}`,
  ])("%j is refused", (value) => {
    expect(() => parseRecords(value)).toThrow(/is none of: A IPV4/u);
  });
});

describe("a name of etcd", () => {
  it.for(["www", "api.eu", "_acme-challenge.www", "a", "0"])("%s is one", (name) => {
    expect(parseName(name, "example.org")).toBe(name);
  });

  it("is at most 253 characters long, with the mark and the zone", () => {
    const labels = Array.from({ length: 113 }, () => "a").join(".");
    expect(parseName(`${labels}.aa`, "example.org")).toHaveLength(228);
    expect(() => parseName(`${labels}.aaa`, "example.org")).toThrow(/is no name below/u);
  });

  it.for([
    ...["", "WWW", "a..b", ".a", "a.", "*", "@", "a b", "a\nb", "-a", "a-", "a;b"],
    "x".repeat(64),
    "_dns-records.www",
  ])("%j is refused", (name) => {
    expect(() => parseName(name, "example.org")).toThrow(/is no name below|is one of the names/u);
  });
});

const soa =
  "example.org.\t3600\tIN\tSOA\tns1.example.org. hostmaster.example.org. 1 3600 600 604800 60";
const zone = [
  soa,
  "example.org.\t3600\tIN\tNS\tns1.example.org.",
  "mail.example.org.\t3600\tIN\tA\t192.0.2.25",
  "old.example.org.\t3600\tIN\tCNAME\tmail.example.org.",
  "WWW.example.org.\t60\tIN\tA\t192.0.2.8",
  "www.example.org.\t60\tIN\tA\t192.0.2.7",
  'www.example.org.\t60\tIN\tTXT\t"a  b"',
  '_dns-records.www.example.org. 60 IN TXT "made by dns-records"',
  soa,
  "dns-records-a.\t0\tANY\tTSIG\thmac-sha256. 1790000000 300 32 AAAA= 1 NOERROR 0",
];

describe("a zone that was transferred", () => {
  const present = parseTransfer(zone.join("\n"), "example.org");

  it("says which names it has, which of them are ours, and with which records", () => {
    expect(Object.fromEntries(present)).toEqual({
      mail: { isOurs: false, records: ["A 192.0.2.25"] },
      old: { isOurs: false, records: [] },
      www: { isOurs: true, records: ["A 192.0.2.7", "A 192.0.2.8", 'TXT "a  b"'] },
    });
  });

  it.for([
    ["cut short", zone.slice(0, -2)],
    ["empty", []],
    ["a refusal", ["; Transfer failed."]],
  ] as const)("is not believed when it is %s", ([, lines]) => {
    expect(() => parseTransfer(lines.join("\n"), "example.org")).toThrow(/not transferred whole/u);
  });

  const planned = (
    wanted: Readonly<Record<string, readonly string[]>>,
    kept: readonly string[] = [],
  ): ReturnType<typeof planOf> =>
    planOf("example.org", new Map(Object.entries(wanted)), new Set(kept), present);

  it("is left alone where it is in step", () => {
    const wanted = { www: ["A 192.0.2.7", "A 192.0.2.8", 'TXT "a  b"'] };
    expect(planned(wanted).updates).toEqual(new Map());
  });

  it("gets a name that it lacks, only while nobody else has made it", () => {
    const { updates } = planned({ api: ["AAAA 2001:db8::7"] }, ["www"]);
    expect(Object.fromEntries(updates)).toEqual({
      api: [
        "prereq nxdomain api.example.org.",
        "update add api.example.org. 60 AAAA 2001:db8::7",
        'update add _dns-records.api.example.org. 60 TXT "made by dns-records"',
      ],
    });
  });

  it("loses what nobody wants any more of what is ours, only while it is, and nothing else", () => {
    expect(Object.fromEntries(planned({}).updates)).toEqual({
      www: [
        "prereq yxrrset _dns-records.www.example.org. TXT",
        "update delete www.example.org. A",
        "update delete www.example.org. AAAA",
        "update delete www.example.org. TXT",
        "update delete _dns-records.www.example.org. TXT",
      ],
    });
    expect(planned({}, ["www"]).updates).toEqual(new Map());
  });

  it("keeps what somebody else has made, wanted or not", () => {
    const { updates, foreign } = planned({ mail: ["A 192.0.2.1"], old: ["A 192.0.2.1"] }, ["www"]);
    expect(updates).toEqual(new Map());
    expect(foreign).toEqual(["mail", "old"]);
  });
});
