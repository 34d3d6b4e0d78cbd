import { X509Certificate } from "node:crypto";
import type { EtcdSettings } from "./etcd-settings.ts";

/** As whom etcd sees us: by the name that is given with a password, or the certificate's; undefined without either. */
export function nameOf({ login, tls }: EtcdSettings): string | undefined {
  const certificate = tls?.certificate && new X509Certificate(tls.certificate).subject;
  return login?.username ?? /^CN=([!-~]{1,128})$/mu.exec(certificate ?? "")?.[1];
}
