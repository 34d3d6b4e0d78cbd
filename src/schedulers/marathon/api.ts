import { Failure } from "../../failure.ts";
import { decodeMarathonError, type MarathonError } from "../../formats/schedulers/marathon.ts";
import { printable } from "../../printable.ts";
import { ask, textOfReply, type Endpoint, type Reply } from "../http.ts";

/** An app as `sealaunch unit --for marathon` writes it, parsed. */
export type WrittenApp = Readonly<Record<string, unknown>> & { readonly id: string };

/** The path of an app. */
export const pathOf = (id: string): string =>
  `/v2/apps/${id.split("/").filter(Boolean).map(encodeURIComponent).join("/")}`;

/** The body of the answer about an app; undefined if there is no such thing. @throws Failure `scheduler/…` */
export async function askOf(
  endpoint: Endpoint,
  id: string,
  method: "GET" | "PUT" | "DELETE",
  path: string,
  body?: object,
): Promise<Uint8Array | undefined> {
  const reply = await ask(endpoint, method, path, body);
  if (reply.status === 404) return undefined;
  if (reply.status >= 200 && reply.status < 300) return reply.body;
  throw refused(endpoint, id, reply);
}

function refused({ url }: Endpoint, id: string, reply: Reply): Failure {
  const message = `Marathon at ${url} answers ${String(reply.status)} to app ${id}: ${said(reply)}`;
  if (reply.status === 409) {
    return new Failure(
      "scheduler/conflict",
      message,
      "wait until that deployment is over, or cancel it in Marathon",
    );
  }
  const code = reply.status >= 500 ? "scheduler/unavailable" : "scheduler/refused";
  return new Failure(code, message);
}

/** Its message and, field by field, what is wrong; 422 has these. */
function said(reply: Reply): string {
  let error: MarathonError;
  try {
    error = decodeMarathonError(reply.body);
  } catch {
    return textOfReply(reply);
  }
  const { message, details = [], deployments = [] } = error;
  const fields = details.map(({ path = "", errors }) => `${path} ${errors.join(", ")}`.trim());
  const locks = deployments.map(({ id }) => `deployment ${id}`);
  return printable([message, ...fields, ...locks].join("; ").slice(0, 300));
}
