import { inParallel } from "../../host/in-parallel.ts";
import { Failure } from "../../failure.ts";
import { openDownloading } from "../../host/downloading.ts";
import { makeDirectory } from "../../host/files.ts";
import { feedsOf } from "../../scan/advisories/feeds.ts";
import type { Context } from "../context.ts";
import { fetchFeed, removeLeft } from "./feed-file.ts";
import { chooseFeedPlaces, type FeedFlags } from "./feed-places.ts";
import { advisoriesFolder, readFetched, rememberFetched } from "./fetched.ts";

/** What `scan --update` is asked. */
export interface UpdateOptions extends FeedFlags {
  /** For how many seconds a server may be silent. */
  readonly timeout: number;
}

/** Several at once, but no more of one server than it likes. */
const atOnce = 4;

/** What became of one file. */
interface Outcome {
  readonly name: string;
  readonly url: string;
  readonly state: "fetched" | "unchanged" | "failed";
  /** Why it failed. */
  readonly reason: string | null;
}

/**
 * After it, the advisories of NVD and OSV are on this machine as they are published now, each file whole: what
 * has changed was fetched, read to its end, and put in the place of what was there. What couldn't be fetched
 * stays as it was.
 *
 * @throws Failure `advisories/unreachable`, `advisories/invalid`: the first of them, after all were tried;
 *   `usage/…` for an address that is none; `write/refused`, at once
 */
export async function updateAdvisories(context: Context, options: UpdateOptions): Promise<void> {
  const places = chooseFeedPlaces(options);
  const folder = advisoriesFolder(context);
  await makeDirectory(folder, 0o755);
  await removeLeft(folder);
  const before = new Map((await readFetched(folder)).map((file) => [file.name, file]));
  const feeds = feedsOf(places, context.now.getUTCFullYear());
  const files = new Map(
    feeds.map(({ name, url }) => [name, before.get(name) ?? { name, url, have: null }]),
  );
  const downloading = await openDownloading(options.timeout * 1000);
  const outcomes: Outcome[] = [];
  const failures: Failure[] = [];
  using progress = context.progress("files of advisories", feeds.length);
  let begun = 0;
  let remembered = Promise.resolve();
  await inParallel(atOnce, feeds, async (feed) => {
    progress.at(++begun);
    const { name, url } = feed;
    try {
      const got = await fetchFeed(downloading, folder, feed, before.get(name), context.now);
      if (got === "absent") files.delete(name);
      else outcomes.push({ name, url, state: got === "unchanged" ? got : "fetched", reason: null });
      if (typeof got !== "string") files.set(name, got);
    } catch (error) {
      if (!(error instanceof Failure) || !ofServers.includes(error.code)) throw error;
      failures.push(error);
      outcomes.push({ name, url, state: "failed", reason: error.message });
    }
    // As often as something is there, so that who is stopped here doesn't fetch it again; one after the
    // other, so that the last is what stays.
    remembered = remembered.then(() => rememberFetched(folder, [...files.values()]));
    await remembered;
  });
  outcomes.sort((one, other) => (one.name < other.name ? -1 : 1));
  tell(context, folder, outcomes);
  const [first, ...others] = failures;
  if (first === undefined) return;
  for (const { message } of others) context.warn(message);
  const count = `${String(failures.length)} of ${String(feeds.length)} files of advisories aren't new: `;
  throw new Failure(first.code, count + first.message, failureHint);
}

const ofServers = ["advisories/unreachable", "advisories/invalid"];
const failureHint =
  "look at the address with curl, and begin again: sealaunch scan --update; what was fetched before stays";

function tell(context: Context, folder: string, outcomes: readonly Outcome[]): void {
  const count = (state: Outcome["state"]): number =>
    outcomes.filter((outcome) => outcome.state === state).length;
  context.print(
    `${String(count("fetched"))} files of advisories fetched, ${String(count("unchanged"))} unchanged: ${folder}`,
  );
  context.result({ folder, files: outcomes });
}
