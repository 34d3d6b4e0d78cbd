/** How far one archive is, from nothing to all of it. */
export interface Meter {
  /** @param narBytes - so many more were packed */
  packed(narBytes: number): void;
  /** @param bytes - so many of the packed ones were sent in all; fewer than before if they are sent again */
  sent(bytes: number, ofBytes: number): void;
  /** After it, all of the archive is done, whatever was said before. */
  end(): void;
}

/**
 * A meter of an archive.
 *
 * @param isSent - whether it goes over a network; else what was packed has only to be renamed. Then packing
 *   and sending count half each
 * @param advance - is told how much more is done, in bytes of the archive; never more than its size in all
 */
export function meterOf(
  narSize: number,
  isSent: boolean,
  advance: (narBytes: number) => void,
): Meter {
  let [packedBytes, sentPart, told] = [0, 0, 0];
  const tell = (done: number): void => {
    const whole = Math.min(Math.floor(done), narSize);
    if (whole <= told) return;
    advance(whole - told);
    told = whole;
  };
  const tellBoth = (): void => {
    tell(isSent ? (packedBytes + sentPart * narSize) / 2 : packedBytes);
  };
  return {
    packed: (narBytes) => {
      packedBytes += narBytes;
      tellBoth();
    },
    sent: (bytes, ofBytes) => {
      sentPart = Math.max(sentPart, bytes / ofBytes);
      tellBoth();
    },
    end: () => {
      tell(narSize);
    },
  };
}
