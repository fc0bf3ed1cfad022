import type { Size } from '@facecast/shared/media/size';
import type { Container } from '../demux/container.js';
import type { HdrTransfer } from '../demux/scanner.js';
import { timestampFilter } from '../ffmpeg/frame-timestamps.js';

/** What every session's video is decoded to. */
export interface Picture {
  fps: number;
  /** Largest size in pixels, even; smaller sources keep their own. */
  maxWidth: number;
  maxHeight: number;
}

/** What is done to the pictures of a source. */
export interface Conversions {
  /** Size of the output; undefined: the first frame's, scaled down. */
  size?: Size | undefined;
  /** Whether frames that are flagged as interlaced are made progressive. */
  deinterlace?: boolean | undefined;
  /** The transfer function of frames that are HDR, which are made SDR. */
  hdr?: HdrTransfer | undefined;
}

/** Largest source, 8K UHD: ffmpeg refuses larger ones before it allocates frames. */
const MAX_SOURCE_PIXELS = 7680 * 4320;

/** File descriptor on which ffmpeg writes each frame's timestamp before the frame. */
const NOTES_FD = 3;

/**
 * Arguments for an ffmpeg that reads one input stream from stdin and writes each of its frames to stdout as
 * YUV4MPEG2, and its timestamp to file descriptor 3 (see `readFrameTimestamps`).
 */
export function ffmpegArguments(
  container: Container,
  picture: Picture,
  { size, deinterlace = false, hdr }: Conversions,
): string[] {
  const filters = [
    ...(deinterlace ? [DEINTERLACE] : []),
    timestampFilter(NOTES_FD),
    ...(hdr ? [toSdr(hdr)] : []),
    size ? fit(size) : shrink(picture),
    'setsar=1',
  ].join(',');
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
 * Every frame once, with its own timestamp in microseconds: `placeFrame` makes the rate constant,
 * resumably.
 */
const ALL_FRAMES = ['-copyts', '-fps_mode', 'passthrough', '-enc_time_base', '1/1000000'];

/** One frame for each that is flagged as interlaced, a frame late; others pass as they are. */
const DEINTERLACE = 'bwdif=mode=send_frame:deint=interlaced';

/**
 * Filter that makes HDR SDR, as Chromium shows it: white is 400 cd/m², half of which and less is as it was, and what is
 * brighter is drawn together up to 1,000 cd/m².
 */
function toSdr(transfer: HdrTransfer): string {
  return [
    `zscale=tin=${transfer}:pin=2020:min=2020_ncl:t=linear:npl=400`,
    'format=gbrpf32le',
    'zscale=p=bt709',
    'tonemap=tonemap=mobius:param=0.5:peak=2.5:desat=0',
    'zscale=t=iec61966-2-1:m=170m:r=limited',
    'format=yuv420p',
  ].join(',');
}

/** BT.601 limited range, in which effects are drawn. */
const COLOURS = 'out_color_matrix=bt601:out_range=limited,format=yuv420p';

/** Filter that scales down to at most this size, with square pixels and even sides. */
function shrink({ maxWidth, maxHeight }: Picture): string {
  const factor = `min(1,min(${maxWidth}/(iw*sar),${maxHeight}/ih))`;
  // The hundredth makes up for rounding: 1920 * (1280 / 1920) is a little less than 1280.
  const even = (side: string) => `max(2,2*trunc((${side}*${factor}+0.01)/2))`;
  return `scale=w='${even('iw*sar')}':h='${even('ih')}':${COLOURS}`;
}

/** Filter that scales to fit into this size, with black bars beside it. */
function fit({ width, height }: Size): string {
  const factor = `min(${width}/(iw*sar),${height}/ih)`;
  const even = (side: string, most: number) => `max(2,min(${most},2*round(${side}*${factor}/2)))`;
  const scale = `scale=w='${even('iw*sar', width)}':h='${even('ih', height)}':${COLOURS}`;
  return `${scale},pad=${width}:${height}:2*trunc((ow-iw)/4):2*trunc((oh-ih)/4)`;
}
