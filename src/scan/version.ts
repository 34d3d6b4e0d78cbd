/**
 * How versions of upstream software follow one another. Nix's own order (`builtins.compareVersions`)
 * puts 153.0 before 153.0.0 and 1.0rc1 after 1.0; libraries for semantic versions refuse 1.1.1k,
 * 9.8p1 and snapshots.
 *
 * A version is read as runs of numbers with a word between each two: 9.8p1 is 9.8, `p`, 1. Runs are
 * compared number by number, where a missing one is 0; then the words; then the next run. Each of
 * these is a total order, so that what they make together is one.
 */
interface Part {
  /** Decimal, without leading zeros: "" is zero. */
  readonly numbers: readonly string[];
  /** What follows them; "" at the end. */
  readonly word: string;
}

const tokens = /[0-9]+|[a-z]+|[-+~]/g;

/** Characters of a version that are read. No program has a longer one. */
const longest = 128;

// What comes before the release that it belongs to, in this order. `~` is Debian's; a, b and c stand
// between digits, as Python writes them (3.13.0a1).
const before = new Map([
  ["~", -9],
  ["dev", -8],
  ["snapshot", -8],
  ["nightly", -8],
  ["canary", -8],
  ["alpha", -7],
  ["a1", -7],
  ["beta", -6],
  ["b1", -6],
  ["milestone", -5],
  ["test", -5],
  ["pre", -4],
  ["preview", -4],
  ["rc", -3],
  ["cr", -3],
  ["c1", -3],
]);
// Another way to say that it is the release.
const release = new Set(["final", "ga", "release", "stable", "v"]);

const signs = new Set(["-", "+", "~"]);

/** Before the release -9 to -3, the release 0, a build of it 1, letters, patch levels, snapshots 2. */
function rank(word: string): number {
  if (word === "") return 0;
  return before.get(word) ?? (signs.has(word) ? 1 : 2);
}

function inOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareWords(a: string, b: string): number {
  const order = rank(a) - rank(b);
  return order === 0 && rank(a) === 2 ? inOrder(a, b) : order;
}

function compareNumbers(a: readonly string[], b: readonly string[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const [one, other] = [a[at] ?? "", b[at] ?? ""];
    const order = one.length - other.length || inOrder(one, other);
    if (order !== 0) return order;
  }
  return 0;
}

const isDigit = (character: string | undefined): boolean =>
  character !== undefined && character >= "0" && character <= "9";

/** A word as it is ranked: a single a, b or c between two digits is Python's, elsewhere a letter. */
function wordAt(text: string, at: number, word: string): string {
  const isPythons = /^[abc]$/.test(word) && isDigit(text[at - 1]) && isDigit(text[at + 1]);
  // CPE writes sudo's 1.9.5p1 as 1.9.5 with the update `patch1`.
  if (word === "patch") return "p";
  return isPythons ? `${word}1` : word;
}

/** The parts of a version: at least one; the last has no word. */
function partsOf(version: string): readonly Part[] {
  const text = version.slice(0, longest).toLowerCase();
  const parts: Part[] = [];
  let numbers: string[] = [];
  let [word, sign] = ["", ""];
  const close = (): void => {
    parts.push({ numbers, word });
    numbers = [];
    word = "";
  };
  for (const { 0: token, index } of text.matchAll(tokens)) {
    if (signs.has(token)) sign = token;
    else if (isDigit(token[0])) {
      if (word === "" && numbers.length > 0) word = sign;
      if (word !== "") close();
      numbers.push(token.replace(/^0+/, ""));
      sign = "";
    } else {
      sign = "";
      if (release.has(token)) continue;
      if (word !== "") close();
      word = wordAt(text, index, token);
    }
  }
  if (word !== "") close();
  close();
  return parts;
}

const nothing: Part = { numbers: [], word: "" };

/**
 * Below zero if `a` comes before `b`, above if after, zero where they are one version. A total order.
 * Trailing zeros don't count (153.0 is 153.0.0); alpha, beta, pre and rc come before the release
 * that they belong to, letters and patch levels after it (1.1.1l after 1.1.1k, 9.8p1 after 9.8).
 */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  const [one, other] = [partsOf(a), partsOf(b)];
  for (let at = 0; at < Math.max(one.length, other.length); at++) {
    const [left, right] = [one[at] ?? nothing, other[at] ?? nothing];
    const order =
      compareNumbers(left.numbers, right.numbers) || compareWords(left.word, right.word);
    if (order !== 0) return order;
  }
  return 0;
}

/** What a snapshot between releases says of itself. */
export interface Snapshot {
  /** The release that it follows; undefined where there was none (0-unstable-2024-01-01). */
  readonly base: string | undefined;
  /** YYYY-MM-DD or YYYYMMDD, as it stands there; undefined if it names only a revision. */
  readonly date: string | undefined;
}

const snapshot = /(?:^|[-+._])(?:unstable|git|svn|hg|bzr|cvs)(?![a-z])/i;
const dayOf = /(?:^|[^0-9])((?:19|20)[0-9]{2}-?(?:0[1-9]|1[0-2])-?[0-3][0-9])(?![0-9])/;

/**
 * What `version` says of itself if it names a snapshot between releases, as nixpkgs does
 * (1.17.1-unstable-2025-05-24) and upstream's own tools (0.5.3+git20190105). Such a version is
 * after its base, and may hold what the next release mends.
 */
export function snapshotOf(version: string): Snapshot | undefined {
  const text = version.slice(0, longest);
  const found = snapshot.exec(text);
  if (found === null) return undefined;
  const base = text.slice(0, found.index);
  const date = dayOf.exec(text.slice(found.index))?.[1];
  return { base: /[1-9]/.test(base) ? base : undefined, date };
}
