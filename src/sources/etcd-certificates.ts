import { X509Certificate } from "node:crypto";
import { connect, type ConnectionOptions } from "node:tls";
import { Failure } from "../failure.ts";
import { errorCode } from "../host/error-code.ts";
import type { EtcdSettings } from "./etcd-settings.ts";

/** What is told by looks of OpenSSL's and Node's names for it. */
const reasons = [
  [/^CERT_HAS_EXPIRED$/u, "shows a certificate that has expired"],
  [/^CERT_NOT_YET_VALID$/u, "shows a certificate that isn't valid yet"],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/u, "shows a certificate for another host"],
  [/SELF_SIGNED|UNABLE_TO|_ISSUER|LEAF/u, "shows a certificate that trustedCa doesn't vouch for"],
  [/ALERT_.*CERTIFICATE|ALERT_UNKNOWN_CA/u, "refuses certificate"],
  [/ERR_OSSL|ERR_SSL|EPROTO/u, "doesn't speak TLS with us"],
] as const;

/** What a clock decides, which may be the one that is wrong. */
const ofTime = /EXPIRED|NOT_YET_VALID/u;
const timeHint =
  "see both, and the clock: openssl x509 -noout -dates -in FILE; timedatectl; sealaunch doctor --sources";

type Tls = NonNullable<EtcdSettings["tls"]>;

/** In TLS 1.3 a member says only after the greeting that it doesn't accept a certificate. */
const refusesWithinMs = 500;
const greetsWithinMs = 1_000;

/**
 * Why a member can't be reached, if it is for a certificate: gRPC tells only that it can't be.
 * Connects once more, and says nothing.
 */
export function certificateFailure(
  { file, tls }: EtcdSettings,
  endpoint: string,
): Promise<Failure | undefined> {
  const { hostname, port } = new URL(endpoint);
  if (tls === undefined) return Promise.resolve(undefined);
  const host = hostname.replace(/^\[|\]$/gu, "");
  const options: ConnectionOptions = {
    host,
    port: Number(port),
    ca: tls.ca,
    ALPNProtocols: ["h2"],
  };
  if (tls.certificate !== undefined) options.cert = tls.certificate;
  if (tls.certificateKey !== undefined) options.key = tls.certificateKey;
  return new Promise((done) => {
    const end = (failure?: Failure): void => {
      clearTimeout(timer);
      socket.destroy();
      done(failure);
    };
    let timer = setTimeout(end, greetsWithinMs);
    const judge = (error: unknown): void => {
      const code = errorCode(error);
      const told = reasons.find(([pattern]) => pattern.test(code))?.[1];
      const reason = told && closerReason(told, tls);
      const isOfTime = ofTime.test(code) || / expired | valid before /u.test(String(reason));
      const time = isOfTime ? `; here it is ${new Date().toISOString()}` : "";
      const message = `etcd:${file}: ${endpoint} ${String(reason)} (${code})${time}`;
      const hint = isOfTime ? timeHint : undefined;
      end(reason === undefined ? undefined : new Failure("source/certificate", message, hint));
    };
    let socket: ReturnType<typeof connect>;
    try {
      socket = connect(options);
    } catch (error) {
      clearTimeout(timer);
      const message = `etcd:${file}: trustedCa, certificate or certificateKey is no PEM, or they don't belong together (${errorCode(error)})`;
      done(new Failure("source/certificate", message));
      return;
    }
    socket.on("error", judge);
    socket.on("secureConnect", () => {
      clearTimeout(timer);
      timer = setTimeout(end, refusesWithinMs);
    });
    socket.on("data", () => undefined);
  });
}

/** The reason with what our own side of it shows: etcd says one and the same of all that it refuses. */
function closerReason(reason: string, { hasCa, certificate }: Tls): string {
  if (reason.includes("trustedCa") && !hasCa)
    return "shows a certificate that nobody vouches for whom Node trusts, and no trustedCa is set";
  if (reason !== "refuses certificate") return reason;
  if (certificate === undefined) return "asks for a certificate, and none is set";
  const { validFromDate, validToDate } = new X509Certificate(certificate);
  const now = new Date();
  if (validToDate < now)
    return `refuses certificate, which has expired ${validToDate.toISOString()}`;
  if (validFromDate > now)
    return `refuses certificate, which isn't valid before ${validFromDate.toISOString()}`;
  return reason;
}
