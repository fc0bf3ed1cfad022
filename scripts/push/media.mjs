import { spawn, execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Video that the server decodes as it is. */
const TAKEN_VIDEO = ['vp8', 'vp9', 'av1', 'h264'];
const TAKEN_AUDIO = 'opus';
/** How anything else is encoded: at the camera's speed, not larger than the server's picture. */
const VP8 = [
  ...['libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '2500k'],
  ...['-g', '60', '-pix_fmt', 'yuv420p', '-vf', "scale='min(1280,iw)':-2"],
];
/** Duration of a cluster: nothing of one leaves ffmpeg before its end. */
const CLUSTER_MS = 100;
/** How much of ffmpeg's log is kept to explain its failure. */
const KEPT_BYTES = 2_000;

/**
 * @typedef {object} Media
 * @property {string} mimeType as MediaRecorder would name it
 * @property {import('node:stream').Readable} bytes at the file's own speed
 * @property {Promise<string>} failure resolves at the end: what went wrong, empty where nothing did
 * @property {() => void} stop ends it as if the file ended here
 */

/**
 * Reads a media file at its own speed as one Matroska stream. What the server can decode is passed
 * on untouched, frame by frame; anything else becomes VP8 and Opus.
 *
 * @param {string} file
 * @param {{ loop: boolean }} options
 * @returns {Promise<Media>}
 * @throws {Error} with a sentence where it is no media file, or has no picture
 */
export async function startMedia(file, { loop }) {
  const { video, isTurned, audio } = await probe(file);
  // Matroska has no word for it that every ffmpeg understands, but whoever encodes again turns it.
  const copied = TAKEN_VIDEO.includes(video) && !isTurned;
  const child = spawn(
    'ffmpeg',
    [
      ...['-hide_banner', '-loglevel', 'error', '-nostdin'],
      ...(loop ? ['-stream_loop', '-1'] : []),
      ...['-re', '-i', file, '-map', '0:v:0', '-map', '0:a:0?'],
      ...['-c:v', ...(copied ? ['copy'] : VP8)],
      ...(audio === undefined ? [] : ['-c:a', audio === TAKEN_AUDIO ? 'copy' : 'libopus']),
      ...['-f', 'matroska', '-live', '1', '-cluster_time_limit', `${CLUSTER_MS}`],
      ...['-flush_packets', '1', 'pipe:1'],
    ],
    // Its own group: a Ctrl-C in the terminal is for us, and we end it in order.
    { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  );
  let stopped = false;
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    words = (words + text).slice(-KEPT_BYTES);
  });
  return {
    mimeType: mimeTypeOf(copied ? video : 'vp8', audio),
    bytes: child.stdout,
    failure: new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('close', (code) => resolve(code === 0 || stopped ? '' : words.trim()));
    }),
    stop: () => {
      stopped = true;
      child.kill('SIGTERM');
    },
  };
}

/**
 * @param {string} video
 * @param {string | undefined} audio
 */
function mimeTypeOf(video, audio) {
  const container = video === 'h264' ? 'video/x-matroska' : 'video/webm';
  const names = [video === 'h264' ? 'avc1' : video, ...(audio === undefined ? [] : ['opus'])];
  return `${container};codecs=${names.join(',')}`;
}

/**
 * @param {string} file
 * @returns {Promise<{ video: string, isTurned: boolean, audio: string | undefined }>} the codecs, in ffmpeg's
 * names, and whether players are told to turn the picture
 */
async function probe(file) {
  const entries = 'stream=codec_type,codec_name:stream_side_data=rotation';
  const args = ['-v', 'error', '-of', 'json', '-show_entries', entries, file];
  const { stdout } = await promisify(execFile)('ffprobe', args).catch((error) => {
    if (error.code === 'ENOENT') throw new Error('ffprobe is not installed: run npm run setup');
    throw new Error(`${file} cannot be read: ${String(error.stderr).trim()}`);
  });
  /** @type {{ codec_type: string, codec_name: string, side_data_list?: { rotation?: number }[] }[]} */
  const streams = JSON.parse(stdout).streams ?? [];
  const video = streams.find((stream) => stream.codec_type === 'video');
  const audio = streams.find((stream) => stream.codec_type === 'audio')?.codec_name;
  if (video === undefined) throw new Error(`${file} has no picture`);
  const isTurned = video.side_data_list?.some(({ rotation = 0 }) => rotation !== 0) ?? false;
  return { video: video.codec_name, isTurned, audio };
}
