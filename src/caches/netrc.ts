/** A user and password. */
export interface Login {
  readonly user: string;
  readonly password: string;
}

/**
 * Who a file such as `~/.netrc` (curl(1), --netrc) says one is at `host`; undefined if it says nothing.
 * Macros are no part of what is read.
 */
export function loginFor(netrc: string, host: string): Login | undefined {
  const words = netrc.split(/\s+/u).filter((word) => word !== "");
  let isHere = false;
  let user: string | undefined;
  for (let at = 0; at < words.length; at += 2) {
    const [word, value = ""] = words.slice(at, at + 2);
    if (word === "machine") isHere = value === host;
    else if (word === "default") {
      isHere = true;
      // It has no value.
      at--;
    } else if (isHere && word === "login") user = value;
    else if (isHere && word === "password") return { user: user ?? "", password: value };
  }
  return undefined;
}
