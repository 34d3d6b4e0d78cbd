/** Of X-Wing, in bytes (draft-connolly-cfrg-xwing-kem, §5). */
export const xwingSizes = {
  seed: 32,
  publicKey: 1216,
  ciphertext: 1120,
  sharedSecret: 32,
} as const;
