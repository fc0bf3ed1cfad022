import type { Container } from '../demux/container.js';
import { timestampFilter } from '../ffmpeg/frame-timestamps.js';

/** What comes out of ffmpeg. */
export interface Picture {
  fps: number;
  /** Largest size in pixels, both even; smaller sources keep theirs. */
  maxWidth: number;
  maxHeight: number;
}

/** Larger sources (8K UHD) are refused before their frames take memory. */
const MAX_SOURCE_PIXELS = 7680 * 4320;

/** Even sides, in pixels. */
export interface Size {
  width: number;
  height: number;
}

/** The file descriptor on which ffmpeg notes each frame before it writes it. */
const NOTES_FD = 3;

/**
 * Arguments for an ffmpeg that reads one input stream from stdin and writes every frame of it to stdout
 * as YUV4MPEG2, with a note of each (see `readFrameTimestamps`) to file descriptor 3.
 *
 * @param size of the output, whatever that of the input stream is and becomes; that of its first frame
 * where there is none
 */
export function ffmpegArguments(container: Container, picture: Picture, size?: Size): string[] {
  const filters = `${timestampFilter(NOTES_FD)},${size ? fit(size) : shrink(picture)},setsar=1`;
  return ['-hide_banner', '-loglevel', 'warning', '-nostats', '-nostdin'].concat(
    readStdin(container),
    ['-map', '0:v:0', '-vf', filters, '-pix_fmt', 'yuv420p'],
    ALL_FRAMES,
    ['-f', 'yuv4mpegpipe', '-flush_packets', '1', 'pipe:1'],
  );
}

function readStdin(container: Container): string[] {
  // The demuxer is forced and may open nothing: a playlist in disguise cannot make ffmpeg read a
  // file or an address.
  const onlyThis = ['-f', container, '-protocol_whitelist', 'pipe'];
  // MediaRecorder names no frame rate, and ffmpeg would look at a second and more of the stream to find
  // one (and wait for audio that may not come). The header tells all that decoding needs.
  const noLookingAhead = ['-nofind_stream_info'];
  // With more threads the decoder works on several frames at once and holds that many back.
  const noFramesHeldBack = ['-threads', '1'];
  const bounded = ['-max_pixels', String(MAX_SOURCE_PIXELS)];
  return [...onlyThis, ...noLookingAhead, ...noFramesHeldBack, ...bounded, '-i', 'pipe:0'];
}

/**
 * Every frame once, and timestamps as they are in the input stream, in microseconds: the constant rate is
 * our own affair, because ffmpeg's cannot be resumed in mid-stream.
 */
const ALL_FRAMES = ['-copyts', '-fps_mode', 'passthrough', '-enc_time_base', '1/1000000'];

/** BT.601 limited range is the space that effects are drawn in. */
const COLOURS = 'out_color_matrix=bt601:out_range=limited,format=yuv420p';

/** Scales down to at most this size, to square pixels and even sides. */
function shrink({ maxWidth, maxHeight }: Picture): string {
  const factor = `min(1,min(${maxWidth}/(iw*sar),${maxHeight}/ih))`;
  // The hundredth makes up for what a quotient like 1280/1920 is too small.
  const even = (side: string) => `max(2,2*trunc((${side}*${factor}+0.01)/2))`;
  return `scale=w='${even('iw*sar')}':h='${even('ih')}':${COLOURS}`;
}

/** Scales to fit into this size and puts black bars beside it. */
function fit({ width, height }: Size): string {
  const factor = `min(${width}/(iw*sar),${height}/ih)`;
  const even = (side: string, most: number) => `max(2,min(${most},2*round(${side}*${factor}/2)))`;
  const scale = `scale=w='${even('iw*sar', width)}':h='${even('ih', height)}':${COLOURS}`;
  return `${scale},pad=${width}:${height}:2*trunc((ow-iw)/4):2*trunc((oh-ih)/4)`;
}
