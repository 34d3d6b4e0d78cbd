import sodium from "libsodium-wrappers";

// The WebAssembly must be compiled before the first call. Waiting for it here, once, makes it
// impossible to write a call that comes too early; whoever imports this room waits for it.
await sodium.ready;

/** libsodium, ready to use. The only import of libsodium-wrappers. */
export { sodium };
