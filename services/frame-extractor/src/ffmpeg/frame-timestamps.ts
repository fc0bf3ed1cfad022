/** What ffmpeg reports about a frame before it writes the frame. */
export interface FrameTimestamp {
  /** Timestamp in microseconds; NaN if it has none. */
  time: number;
  /**
   * Whether it is the first frame since the filters were configured: again after a change of size or
   * format.
   */
  isFirst: boolean;
}

/** Video filters that write a line with each frame's timestamp to file descriptor `fd`. */
export function timestampFilter(fd: number): string {
  // Frames without metadata are not printed; AVTB makes timestamps whole microseconds.
  return `settb=AVTB,metadata=add:key=t:value=1,metadata=print:key=t:file=pipe\\\\:${fd}:direct=1`;
}

/** Longest line in characters; ffmpeg's have about 60. */
const MAX_LINE_LENGTH = 1024;

/** Parses the lines of `timestampFilter`; the stream is read only as timestamps are asked for. */
export async function* readFrameTimestamps(
  stream: AsyncIterable<Buffer>,
): AsyncGenerator<FrameTimestamp> {
  let rest = '';
  for await (const bytes of stream) {
    const lines = (rest + bytes.toString('latin1')).split('\n');
    rest = lines.pop()!.slice(-MAX_LINE_LENGTH);
    for (const line of lines) {
      const [, frame, time] = /^frame:(\d+)\s+pts:(\S+)/.exec(line) ?? [];
      if (frame !== undefined) yield { time: Number(time), isFirst: frame === '0' };
    }
  }
}
