import { Unzip, UnzipInflate, UnzipPassThrough } from "fflate";

/** Takes one file of what was unpacked, piece by piece; `undefined` ends it. */
export type FileSink = (name: string) => (chunk: Uint8Array | undefined) => void;

/** No database of advisories unpacks to more; what does was made to. */
const largest = 16 * 1024 ** 3;

const isGzip = (head: Uint8Array): boolean => head[0] === 0x1f && head[1] === 0x8b;
const isZip = (head: Uint8Array): boolean =>
  head[0] === 0x50 && head[1] === 0x4b && head[2] === 0x03 && head[3] === 0x04;

/** What was packed isn't so whole, or not so small, as it should be. */
export class PackedWrongly extends Error {}

/**
 * The files in `bytes`: those of a zip archive, the one in gzip, or `bytes` itself. They are given as
 * they arrive; no more than a piece of one is in memory.
 *
 * @throws PackedWrongly
 */
export async function unpack(
  bytes: AsyncIterable<Uint8Array<ArrayBuffer>>,
  sink: FileSink,
): Promise<void> {
  const pieces = bytes[Symbol.asyncIterator]();
  const first = await pieces.next();
  const head = first.done === true ? new Uint8Array() : first.value;
  const all = (async function* (): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    yield head;
    for (let next = await pieces.next(); next.done !== true; next = await pieces.next())
      yield next.value;
  })();
  if (isZip(head)) return unzip(all, sink);
  const file = sink("");
  let size = 0;
  for await (const chunk of isGzip(head) ? gunzip(all) : all) {
    size += chunk.length;
    if (size > largest) throw new PackedWrongly("it unpacks to more than 16 GiB");
    file(chunk);
  }
  file(undefined);
}

async function* gunzip(
  packed: AsyncIterable<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const stream = ReadableStream.from<Uint8Array<ArrayBuffer>>(packed);
  try {
    for await (const chunk of stream.pipeThrough(new DecompressionStream("gzip"))) yield chunk;
  } catch (error) {
    // Reading itself fails with an error of its own, which says more.
    if (error instanceof TypeError) throw new PackedWrongly("its gzip is broken");
    throw error;
  }
}

async function unzip(
  packed: AsyncIterable<Uint8Array<ArrayBuffer>>,
  sink: FileSink,
): Promise<void> {
  let size = 0;
  let open = 0;
  const archive = new Unzip((entry) => {
    if (!/\.json$/i.test(entry.name)) return;
    const file = sink(entry.name);
    open++;
    entry.ondata = (error, chunk, isLast) => {
      if (error !== null) throw new PackedWrongly("its zip is broken");
      size += chunk.length;
      if (size > largest) throw new PackedWrongly("it unpacks to more than 16 GiB");
      file(chunk);
      if (!isLast) return;
      open--;
      file(undefined);
    };
    entry.start();
  });
  archive.register(UnzipInflate);
  archive.register(UnzipPassThrough);
  try {
    for await (const chunk of packed)
      // A piece of 64 KiB unpacks to 64 MiB at most, which is in memory at once.
      for (let at = 0; at < chunk.length; at += 65_536)
        archive.push(chunk.subarray(at, at + 65_536));
    archive.push(new Uint8Array(), true);
  } catch (error) {
    if (error instanceof Error && "code" in error && typeof error.code === "number")
      throw new PackedWrongly("its zip is broken");
    throw error;
  }
  if (open > 0) throw new PackedWrongly("its zip ends within a file");
}
