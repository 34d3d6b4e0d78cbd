/**
 * The rooms of src/, the arrows between them, and what each may touch. The lint rules and
 * test/architecture.test.ts hold exactly this; docs/architecture.md says why.
 */

/** Files beside the rooms, which every room may import. They import nothing themselves. */
export const floor = ["failure", "printable"] as const;

/** The two programs, beside the rooms. */
export const entries = ["main", "launcher"] as const;

interface Room {
  /** The other rooms that it may import; arrows point one way. */
  readonly imports: readonly string[];
  /** Single files of other rooms that it may import besides: data that both must agree on. */
  readonly files?: readonly string[];
  /** Rooms that it may load only when they are needed, or name the types of. */
  readonly loadsLazily?: readonly string[];
  /** Touches neither files, clock, environment nor processes. */
  readonly isPure?: true;
  /** May use the process's own arguments, environment, streams and exit. */
  readonly ownsProcess?: true;
}

/** Every room, from the top down. */
export const rooms: Readonly<Record<string, Room>> = {
  main: { imports: ["cli"], ownsProcess: true },
  launcher: {
    imports: ["launch", "cluster", "formats", "service", "host", "crypto"],
    ownsProcess: true,
  },
  cli: {
    imports: ["service"],
    files: ["launch/run-options.ts"],
    loadsLazily: ["commands"],
    ownsProcess: true,
  },
  commands: {
    imports: [
      "doctor",
      "agent",
      "launch",
      "cluster",
      "schedulers",
      "caches",
      "trust",
      "formats",
      "sources",
      "service",
      "scan",
      "host",
      "crypto",
    ],
  },
  doctor: {
    imports: ["agent", "launch", "cluster", "trust", "formats", "service", "host", "crypto"],
  },
  agent: { imports: ["launch", "cluster", "trust", "formats", "service", "host", "crypto"] },
  launch: { imports: ["cluster", "trust", "formats", "sources", "service", "host", "crypto"] },
  cluster: { imports: ["trust", "formats", "sources", "host", "crypto"] },
  trust: { imports: ["formats", "crypto"], isPure: true },
  formats: { imports: ["crypto"], isPure: true },
  service: {
    imports: [],
    files: ["formats/reload-signals.ts"],
    loadsLazily: ["formats"],
    isPure: true,
  },
  scan: { imports: ["formats", "service", "crypto"], isPure: true },
  schedulers: { imports: ["formats", "service", "host", "crypto"] },
  // How a source is reached is configuration; what it carries is never read there.
  sources: { imports: ["host"], files: ["formats/configuration.ts"] },
  caches: { imports: ["formats", "service", "host", "crypto"] },
  host: { imports: ["service"] },
  crypto: { imports: [], isPure: true },
};

/** Who alone may import a package: a room, or one file of it. */
export const owners: Readonly<Record<string, string>> = {
  "libsodium-wrappers": "crypto/sodium.ts",
  "@scure/base": "crypto",
  execa: "host/process.ts",
  undici: "host/downloading.ts",
  etcd3: "sources/etcd.ts",
  "@aws-sdk/client-s3": "caches/s3.ts",
  "@aws-sdk/lib-storage": "caches/s3.ts",
  commander: "cli",
  "@bomb.sh/tab": "cli",
  "@bomb.sh/tab/commander": "cli",
  "@inquirer/confirm": "cli",
  "@inquirer/password": "cli",
  "cli-table3": "cli",
  diff: "commands",
  "@cyclonedx/cyclonedx-library/Enums": "scan",
  "@cyclonedx/cyclonedx-library/Models": "scan",
  "@cyclonedx/cyclonedx-library/Serialize": "scan",
  "@cyclonedx/cyclonedx-library/Spec": "scan",
  // Types alone.
  sarif: "scan/report/sarif.ts",
  "zod/mini": "formats",
  "@xmldom/xmldom": "formats",
  fflate: "scan/advisories/unpacking.ts",
  "packageurl-js": "scan/advisories/purl.ts",
  "smol-toml": "scan/rules/vulnix-rules.ts",
  "ae-cvss-calculator": "scan/advisories/severity.ts",
};

/** Node's modules that a pure room may import: computation alone. */
export const pureModules = ["node:crypto", "node:util", "node:buffer"] as const;

/** File names that say nothing. */
export const emptyNames = /^(utils?|helpers?|common|types|index|misc|shared|base|.*-?managers?)$/;
