import type { Container } from './container.js';

/** What comes out of ffmpeg. */
export interface Picture {
  fps: number;
  /** Largest size in pixels, both even; smaller sources keep theirs. */
  maxWidth: number;
  maxHeight: number;
}

/** Larger sources (8K UHD) are refused before their frames take memory. */
const MAX_SOURCE_PIXELS = 7680 * 4320;

/** Arguments for an ffmpeg that reads one recording from stdin and writes YUV4MPEG2 to stdout. */
export function ffmpegArguments(container: Container, picture: Picture): string[] {
  return ['-hide_banner', '-loglevel', 'warning', '-nostats', '-nostdin'].concat(
    readStdin(container),
    ['-map', '0:v:0', '-vf', filters(picture)],
    constantRate(picture.fps),
    ['-f', 'yuv4mpegpipe', '-flush_packets', '1', 'pipe:1'],
  );
}

function readStdin(container: Container): string[] {
  // The demuxer is forced and may open nothing: a playlist in disguise cannot make ffmpeg read a
  // file or an address.
  const onlyThis = ['-f', container, '-protocol_whitelist', 'pipe'];
  // MediaRecorder names no frame rate, and ffmpeg would look at a second and more of the stream to
  // find one (and wait for sound that may not come). The header tells all that decoding needs.
  const noLookingAhead = ['-nofind_stream_info'];
  // With more threads the decoder works on several frames at once and holds that many back.
  const noFramesHeldBack = ['-threads', '1'];
  const bounded = ['-max_pixels', String(MAX_SOURCE_PIXELS)];
  return [...onlyThis, ...noLookingAhead, ...noFramesHeldBack, ...bounded, '-i', 'pipe:0'];
}

/**
 * With timestamps as they are (`-copyts`), ffmpeg's constant rate begins at the first frame wherever
 * the stream's clock stands, and lets a frame come about one frame early or late before it drops or
 * repeats one: what MediaRecorder's uneven milliseconds need.
 */
function constantRate(fps: number): string[] {
  return ['-copyts', '-r', String(fps)];
}

/**
 * Scales down to fit, to square pixels and even sides, and to BT.601 limited range, which is the space
 * that effects are drawn in.
 */
function filters({ maxWidth, maxHeight }: Picture): string {
  const shrink = `min(1,min(${maxWidth}/(iw*sar),${maxHeight}/ih))`;
  // The hundredth makes up for what a quotient like 1280/1920 is too small.
  const even = (side: string) => `max(2,2*trunc((${side}*${shrink}+0.01)/2))`;
  const colours = 'out_color_matrix=bt601:out_range=limited';
  const scale = `scale=w='${even('iw*sar')}':h='${even('ih')}':${colours}`;
  return `${scale},format=yuv420p,setsar=1`;
}
