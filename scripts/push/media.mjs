import { hidesPackets } from './hidden-packets.mjs';
import { filtersFor, isPlain } from './picture-filters.mjs';
import { probe } from './probe.mjs';
import { HeadedStream, runFfmpeg } from './stream.mjs';

/** Video codecs that the server decodes; sent as they are. */
const TAKEN_VIDEO = ['vp8', 'vp9', 'av1', 'h264'];
const TAKEN_AUDIO = 'opus';
/** How other video is encoded: fast enough for a camera's speed. */
const VP8 = ['libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '2500k', '-g', '60'];
/** Duration of a Matroska cluster: ffmpeg writes one when it is complete. */
const CLUSTER_MS = 100;

/**
 * @typedef {object} Media
 * @property {string} found in words, what was found and how it is sent
 * @property {string} mimeType as MediaRecorder would name it
 * @property {import('node:stream').Readable} bytes at the file's own speed
 * @property {Promise<string>} failure resolves at the end to what went wrong; empty if nothing did
 * @property {() => void} stop ends it as if the file ended here
 */

/**
 * Reads media at its own speed as one Matroska stream. What the server can decode is copied; anything else
 * becomes VP8 and Opus. So does video that players show rotated, mirrored or in other colours, and media
 * with parts that no player shows, which are not sent.
 *
 * @param {import('./input.mjs').Input} input
 * @param {{ loop: boolean }} options
 * @returns {Promise<Media>}
 * @throws {Error} with a sentence if it is no media, or has no video
 */
export async function startMedia(input, { loop }) {
  if (loop && input.open) throw new Error(`${input.label} cannot be looped`);
  const origin = input.open?.();
  const stream = origin && new HeadedStream(origin.bytes);
  try {
    const found = await probe(input, stream);
    if (stream && found.hasEditLists && !stream.beginsWithIndex())
      throw new Error(
        `${input.label}: an MP4 whose index is at its end can only be read as a file`,
      );
    const plan = await planned(input, found, loop);
    const ffmpeg = runFfmpeg(plan.args, stream ? 'pipe' : 'ignore');
    if (stream && ffmpeg.child.stdin) stream.pour(ffmpeg.child.stdin);
    return {
      found: described(input, found, plan),
      mimeType: mimeTypeOf(plan),
      bytes: /** @type {import('node:stream').Readable} */ (ffmpeg.child.stdout),
      failure: ffmpeg.failure.then(async (words) => {
        origin?.stop();
        return (await origin?.failure) || words;
      }),
      stop: () => {
        origin?.stop();
        ffmpeg.stop();
      },
    };
  } catch (error) {
    origin?.stop();
    const failure = await origin?.failure;
    throw failure ? new Error(`${input.label} cannot be read: ${failure}`) : error;
  }
}

/**
 * ffmpeg's input options for the streams found.
 *
 * @param {import('./input.mjs').Input} input
 * @param {import('./probe.mjs').Found} found
 * @param {boolean} loop
 */
async function planned(input, { video, audio, hasEditLists }, loop) {
  // An edit list hides the front of a fragmented MP4 in this way, and ffmpeg would show it.
  const startsEarly = Math.min(video.start, hasEditLists ? (audio?.start ?? 0) : 0) < 0;
  if (startsEarly && loop)
    throw new Error(`${input.label} cannot be looped: its first packets are not to be shown`);
  const isVideoTaken =
    TAKEN_VIDEO.includes(video.codec) &&
    !(video.start < 0) &&
    // Matroska has no rotation that every version of ffmpeg reads.
    isPlain(video) &&
    // A stream cannot be checked for hidden parts before it is sent.
    !(hasEditLists && (!input.isFile || (await hidesPackets(input, video.index))));
  const isAudioTaken = audio?.codec === TAKEN_AUDIO && !hasEditLists && !startsEarly;
  const filters = [...(startsEarly ? ['trim=start=0'] : []), ...filtersFor(video)];
  const args = [
    ...(loop ? ['-stream_loop', '-1'] : []),
    ...(startsEarly ? ['-copyts'] : []),
    // A live source comes at its own speed.
    ...(input.isLive ? [] : ['-re']),
    ...['-noautorotate', ...input.args, '-map', `0:${video.index}`],
    ...(isVideoTaken ? ['-c:v', 'copy'] : ['-c:v', ...VP8, '-vf', filters.join(',')]),
    ...(audio === undefined ? [] : ['-map', `0:${audio.index}`]),
    ...(isAudioTaken ? ['-c:a', 'copy'] : ['-c:a', 'libopus']),
    ...(startsEarly && !isAudioTaken ? ['-af', 'atrim=start=0'] : []),
    ...['-f', 'matroska', '-live', '1', '-cluster_time_limit', `${CLUSTER_MS}`],
    ...['-flush_packets', '1', 'pipe:1'],
  ];
  return { args, video: isVideoTaken ? video.codec : 'vp8', audio: audio && TAKEN_AUDIO };
}

/** @param {{ video: string, audio: string | undefined }} sent */
function mimeTypeOf({ video, audio }) {
  const container = video === 'h264' ? 'video/x-matroska' : 'video/webm';
  const names = [video === 'h264' ? 'avc1' : video, ...(audio === undefined ? [] : [audio])];
  return `${container};codecs=${names.join(',')}`;
}

/**
 * @param {import('./input.mjs').Input} input
 * @param {import('./probe.mjs').Found} found
 * @param {{ video: string, audio: string | undefined }} sent
 */
function described({ label }, { video, audio, counts }, sent) {
  const of = (/** @type {number} */ count) => (count > 1 ? ` (1 of ${count})` : '');
  const pictures = `video ${video.codec} ${video.width}x${video.height}${of(counts.video)}`;
  const sound = audio ? `audio ${audio.codec}${of(counts.audio)}` : 'no audio';
  const as = [sent.video, sent.audio].filter((codec) => codec !== undefined).join(', ');
  return `${label}: ${pictures}, ${sound}; sent as ${as}`;
}
