import { Failure } from "../failure.ts";

/** One string of an environment, name and `=` and the closing NUL included, is at most this long (execve(2), MAX_ARG_STRLEN). */
const maxVariableSize = 128 * 1024;

/** Whether `name` can name an environment variable that every shell carries. */
export function isVariableName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/u.test(name);
}

/**
 * Returns if `value` can be the environment variable `variable`. The message doesn't tell its
 * length, nor anything else of it.
 *
 * @throws Failure `credential/not-for-environment`
 */
export function checkVariable(credential: string, value: Uint8Array, variable: string): void {
  if (value.includes(0)) {
    throw new Failure(
      "credential/not-for-environment",
      `credential ${credential} has a NUL byte, so it can't be the variable ${variable}`,
    );
  }
  if (variable.length + value.length + 2 > maxVariableSize) {
    throw new Failure(
      "credential/not-for-environment",
      `credential ${credential} is too large for the variable ${variable}: the kernel takes 128 KiB`,
    );
  }
}
