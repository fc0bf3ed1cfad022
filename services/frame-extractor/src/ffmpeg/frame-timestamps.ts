/** What ffmpeg says of a frame before it writes it. */
export interface FrameTimestamp {
  /** Its timestamp in microseconds; NaN where it has none. */
  time: number;
  /** It is the first one since ffmpeg looked at the pictures' size and format. */
  isFirst: boolean;
}

/** ffmpeg filters that write a line for each frame that passes to file descriptor `fd`. */
export function timestampFilter(fd: number): string {
  // A frame is only noted where it has metadata, and numbers are whole in this unit alone.
  return `settb=AVTB,metadata=add:key=t:value=1,metadata=print:key=t:file=pipe\\\\:${fd}:direct=1`;
}

/** A note is about 60 bytes. */
const MAX_LINE_LENGTH = 1024;

/** Reads the lines that those filters write. It is read on only as notes are asked for. */
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
