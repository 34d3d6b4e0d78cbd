import { Failure } from "../failure.ts";

/** What AWS's client says when nobody told it who asks, or where. */
const unconfigured = /CredentialsProviderError|Could not load credentials|Region is missing/u;
const isBroken =
  /^(?:ECONN|ENOTFOUND|EAI_AGAIN|EPIPE|ETIMEDOUT|TimeoutError|NetworkingError)|timed? ?out/iu;

const credentialsHint =
  "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile: s3://BUCKET?profile=NAME; and ?region=REGION";

/**
 * Undefined if the error says that there is no such object.
 *
 * @param what - names what was asked for. Nothing of the answer's text is repeated, which a stranger writes
 * @throws Failure `cache/forbidden`, `cache/full`, `cache/unreachable`, `cache/failed`
 */
export function s3Failure(what: string, error: unknown): undefined {
  if (error instanceof Failure) throw error;
  const { name, message, code, $metadata } = error as {
    readonly name?: string;
    readonly message?: string;
    readonly code?: string;
    readonly $metadata?: { readonly httpStatusCode?: number };
  };
  const status = $metadata?.httpStatusCode;
  if (status === undefined) {
    if (unconfigured.test(`${name ?? ""} ${message ?? ""}`))
      throw new Failure("cache/forbidden", `${what}: nobody said who asks`, credentialsHint, error);
    if (isBroken.test(code ?? name ?? "") || isBroken.test(message ?? ""))
      throw new Failure(
        "cache/unreachable",
        `${what}: ${code ?? "silent for too long"}`,
        undefined,
        error,
      );
    throw error;
  }
  const said = /^[A-Za-z]{1,50}$/u.test(name ?? "") ? ` (${name ?? ""})` : "";
  const text = `${what} is answered with ${String(status)}${said}`;
  if (status === 404 && name !== "NoSuchBucket") return undefined;
  if (status === 401 || status === 403)
    throw new Failure("cache/forbidden", text, credentialsHint, error);
  if (status === 507 || name === "QuotaExceeded" || name === "XMinioStorageFull")
    throw new Failure("cache/full", text, undefined, error);
  const hint = name === "NoSuchBucket" ? "make the bucket first, or see its name" : undefined;
  throw new Failure("cache/failed", text, hint, error);
}
