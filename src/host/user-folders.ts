import { isAbsolute, join } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Where this user's programs keep what has to stay, as the XDG base directory specification has it: a path that
 * isn't absolute counts as none; undefined if the environment names none.
 */
export const stateFolder = ({
  XDG_STATE_HOME: state,
  HOME: home,
}: Environment): string | undefined => chosen(state, home, ".local/state");

/** As {@link stateFolder}, for what can be fetched again. */
export const cacheFolder = ({
  XDG_CACHE_HOME: cache,
  HOME: home,
}: Environment): string | undefined => chosen(cache, home, ".cache");

function chosen(named = "", home = "", below: string): string | undefined {
  if (isAbsolute(named)) return named;
  return isAbsolute(home) ? join(home, below) : undefined;
}
