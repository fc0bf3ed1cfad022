import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { readFrameCounter } from '@facecast/shared/testing/frame-counter';

/** GStreamer's two HLS clients: the one of old, and the one that took its place in version 1.22. */
export type HlsElement = 'hlsdemux' | 'hlsdemux2';

/** Plays a stream of 640x480 to its end; resolves to the numbers burnt into its frames, as they come. */
export async function gstreamerNumbers(url: string, element: HlsElement): Promise<number[]> {
  // The new one fetches by itself, and wants its parent to do so.
  const source = {
    hlsdemux: ['souphttpsrc', `location=${url}`, '!', 'hlsdemux', '!', 'qtdemux'],
    hlsdemux2: ['urisourcebin', `uri=${url}`, 'parse-streams=true'],
  }[element];
  const decode = ['!', 'h264parse', '!', 'avdec_h264', '!', 'videoconvert'];
  // Squares of the counter become pixels.
  const small = ['!', 'videoscale', 'method=nearest-neighbour', '!'];
  const format = `video/x-raw,format=GRAY8,width=${WIDTH},height=${HEIGHT}`;
  const { stdout } = await promisify(execFile)(
    'gst-launch-1.0',
    ['-q', ...source, ...decode, ...small, format, '!', 'fdsink', 'fd=1', 'sync=false'],
    { encoding: 'buffer', maxBuffer: MOST_BYTES, timeout: LONGEST_MS },
  );
  const bytes = WIDTH * HEIGHT;
  return Array.from({ length: Math.floor(stdout.length / bytes) }, (_, n) =>
    readFrameCounter(stdout.subarray(n * bytes), WIDTH),
  );
}

/** A quarter of the stream's: rows of this width need no padding. */
const WIDTH = 160;
const HEIGHT = 120;
const MOST_BYTES = 256 * 1024 * 1024;
const LONGEST_MS = 60_000;
