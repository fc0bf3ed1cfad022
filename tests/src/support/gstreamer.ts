import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFrameCounter } from '@facecast/shared/testing/frame-counter';
import { cutUp } from './played-frames.js';

/** GStreamer's two HLS clients: the old one, and the one that replaces it since version 1.22. */
export type HlsElement = 'hlsdemux' | 'hlsdemux2';

/**
 * Plays a stream of 640x480 to its end; resolves to the numbers burnt into its frames, in order.
 * @param onFrame called after each frame with the number of frames so far
 */
export async function gstreamerNumbers(
  url: string,
  element: HlsElement,
  onFrame?: (count: number) => void,
): Promise<number[]> {
  // hlsdemux needs a source element; hlsdemux2 fetches by itself, inside `urisourcebin`.
  const source = {
    hlsdemux: ['souphttpsrc', `location=${url}`, '!', 'hlsdemux', '!', 'qtdemux'],
    hlsdemux2: ['urisourcebin', `uri=${url}`, 'parse-streams=true'],
  }[element];
  const decode = ['!', 'h264parse', '!', 'avdec_h264', '!', 'videoconvert'];
  // Each square of the counter becomes a few pixels.
  const small = ['!', 'videoscale', 'method=nearest-neighbour', '!'];
  const format = `video/x-raw,format=GRAY8,width=${WIDTH},height=${HEIGHT}`;
  const gstreamer = spawn(
    'gst-launch-1.0',
    ['-q', ...source, ...decode, ...small, format, '!', 'fdsink', 'fd=1', 'sync=false'],
    { stdio: ['ignore', 'pipe', 'inherit'], timeout: MAX_MS },
  );
  const closed = once(gstreamer, 'close');
  const numbers: number[] = [];
  for await (const picture of cutUp(gstreamer.stdout, WIDTH * HEIGHT)) {
    numbers.push(readFrameCounter(picture, WIDTH));
    onFrame?.(numbers.length);
  }
  const [code] = (await closed) as [number | null];
  if (code !== 0) throw new Error(`${element} could not play ${url}: exit ${code}`);
  return numbers;
}

/** A quarter of the stream's width: rows of this width need no padding. */
const WIDTH = 160;
const HEIGHT = 120;
/** Limit for a player that hangs, in milliseconds. */
const MAX_MS = 240_000;
