import type { webcrypto } from "node:crypto";

// age-encryption's types name two of a browser's that Node's lack. Declared here rather than by
// lib "dom", which would let every file use `window`.
declare global {
  type CryptoKey = webcrypto.CryptoKey;
  interface AuthenticationExtensionsPRFValues {
    first: ArrayBuffer | ArrayBufferView<ArrayBuffer>;
    second?: ArrayBuffer | ArrayBufferView<ArrayBuffer>;
  }
}
