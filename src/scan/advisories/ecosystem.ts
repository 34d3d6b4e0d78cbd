/** What a name says of the language whose package it is. */
export interface EcosystemName {
  /** The type of a package URL: pypi, cpan, gem …; undefined for what belongs to no language. */
  readonly ecosystem: string | undefined;
  readonly name: string;
}

// nixpkgs writes the interpreter before the name: python3.11-requests is `requests` of PyPI.
const prefixes: readonly (readonly [RegExp, string])[] = [
  [/^(?:python|pypy)[0-9.]+-(?!minimal$|full$)(?=[a-z_])/i, "pypi"],
  [/^perl[0-9.]+-(?=[a-z_])/i, "cpan"],
  [/^ruby[0-9.]+-(?=[a-z_])/i, "gem"],
  [/^lua(?:jit)?[0-9._]+-(?=[a-z_])/i, "luarocks"],
  [/^ocaml[0-9.]+-(?=[a-z_])/i, "opam"],
  [/^coq[0-9.]+-(?=[a-z_])/i, "opam"],
  [/^php(?:[0-9.]+)?-(?!with-extensions$)(?=[a-z_])/i, "pecl"],
  [/^node_/i, "npm"],
  [/^r-(?=[a-z_])/i, "cran"],
  [/^emacs-(?!nox$|gtk$|pgtk$)(?=[a-z_])/i, "elpa"],
  [/^vimplugin-/i, "vim"],
  [/^vscode-extension-/i, "vscode"],
  [/^gnome-shell-extension-/i, "gnome-shell"],
];

// Where only packages of one language come from.
const registries: readonly (readonly [RegExp, string])[] = [
  [/^(?:mirror:\/\/hackage\/|https?:\/\/hackage\.haskell\.org\/)/, "hackage"],
  [/^(?:mirror:\/\/pypi\/|https?:\/\/(?:files\.pythonhosted|pypi)\.(?:org|io)\/)/, "pypi"],
  [/^(?:mirror:\/\/cpan\/|https?:\/\/[a-z.]*cpan\.org\/)/, "cpan"],
  [/^(?:mirror:\/\/rubygems\/|https?:\/\/rubygems\.org\/)/, "gem"],
  [/^https?:\/\/registry\.npmjs\.org\//, "npm"],
  [/^https?:\/\/(?:static\.)?crates\.io\//, "cargo"],
  [/^(?:mirror:\/\/cran\/|https?:\/\/cran\.r-project\.org\/)/, "cran"],
  [/^(?:mirror:\/\/maven\/|https?:\/\/repo1?\.maven\.(?:apache\.)?org\/)/, "maven"],
  [/^https?:\/\/[a-z.]*jenkins(?:-ci|\.io)[a-z.]*\//, "jenkins"],
];

// A compiler for another machine, and what it built, have that machine before their name.
const crossed =
  /^(?:x86_64|aarch64|i686|armv[67]l|riscv64|powerpc64le)-(?:unknown-)?linux-(?:gnu|musl)[a-z0-9]*-/;

/** The language and the name in it of what nixpkgs calls `name` and fetches from `sources`. */
export function ecosystemOf(name: string, sources: readonly string[]): EcosystemName {
  const plain = name.replace(crossed, "");
  for (const [pattern, ecosystem] of prefixes)
    if (pattern.test(plain)) return { ecosystem, name: plain.replace(pattern, "") };
  for (const [pattern, ecosystem] of registries)
    if (sources.some((source) => pattern.test(source))) return { ecosystem, name: plain };
  return { ecosystem: undefined, name: plain };
}
