import { utf8 } from "../crypto/bytes.ts";
import { Failure } from "../failure.ts";
import { checkVariable } from "../service/variable.ts";
import type { Variable } from "./environment.ts";

/** A credential by name. */
export interface Named {
  readonly name: string;
  readonly value: Uint8Array;
}

/**
 * The variables that were asked for, with the credentials' bytes, which stay the caller's.
 *
 * @param asked - credentials by variable
 * @throws Failure `credential/missing`, `credential/not-for-environment`
 */
export function credentialVariables(
  asked: ReadonlyMap<string, string>,
  credentials: readonly Named[],
): Variable[] {
  return [...asked].map(([variable, wanted]) => {
    const credential = credentials.find(({ name }) => name === wanted);
    if (credential === undefined) {
      throw new Failure(
        "credential/missing",
        `--env ${variable} asks for credential ${wanted}, which isn't delivered`,
      );
    }
    checkVariable(wanted, credential.value, variable);
    return { name: utf8(variable), value: credential.value };
  });
}

/** Everything that a launch adds to an environment: as systemd does for User= and LoadCredential=. */
export function addedVariables(
  user:
    | { readonly name: string | undefined; readonly home: string; readonly shell: string }
    | undefined,
  directory: string,
  variables: readonly Variable[],
): Variable[] {
  const login = user?.name;
  const texts: [string, string][] = [
    ...(user === undefined || login === undefined
      ? []
      : ([
          ["HOME", user.home],
          ["LOGNAME", login],
          ["USER", login],
          ["SHELL", user.shell],
        ] as [string, string][])),
    ["CREDENTIALS_DIRECTORY", directory],
  ];
  return [
    ...texts.map(([name, value]) => ({ name: utf8(name), value: utf8(value) })),
    ...variables,
  ];
}
