import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { json, text } from 'node:stream/consumers';
import { reason } from './words.mjs';

/**
 * A stream of a media file.
 *
 * @typedef {object} Track
 * @property {number} index among the file's streams
 * @property {string} codec in ffmpeg's name
 * @property {number} start time of its first packet, in seconds; before 0 if that is not to be shown
 */

/**
 * A video stream, with its size in pixels.
 *
 * @typedef {Track & { width: number, height: number } & import('./picture-filters.mjs').Presentation} Video
 */

/**
 * @typedef {object} Found
 * @property {boolean} hasEditLists whether its container can hide packets
 * @property {Video} video
 * @property {Track | undefined} audio
 * @property {{ video: number, audio: number }} counts how many of each there are
 */

/** Codecs of single pictures, such as covers. */
const IMAGE_CODECS = ['mjpeg', 'png', 'gif', 'bmp', 'webp', 'tiff', 'jpeg2000'];
/** A stream without a second picture within this time, in seconds, is a cover. */
const LOOKED_THROUGH_SECONDS = 20;

/**
 * A stream as ffprobe describes it.
 *
 * @typedef {object} Stream
 * @property {number} index
 * @property {string} codec_type
 * @property {string} codec_name
 * @property {string} [start_time]
 * @property {number} [width]
 * @property {number} [height]
 * @property {{ default: number, attached_pic: number }} disposition
 * @property {string} [color_transfer]
 * @property {{ displaymatrix?: string }[]} [side_data_list]
 */

/**
 * Finds the streams of a media file that are to be published. As in players, streams that are marked as
 * default come first. A cover is no video.
 *
 * @param {import('./input.mjs').Input} input
 * @param {import('./stream.mjs').HeadedStream} [stream] if it is one
 * @returns {Promise<Found>}
 * @throws {Error} with a sentence if it is no media file, or has no video
 */
export async function probe(input, stream) {
  const disposition = 'stream_disposition=default,attached_pic';
  const described = 'stream=index,codec_type,codec_name,start_time,width,height,color_transfer';
  const programs = 'program_stream=index';
  const entries = [
    'format=format_name',
    programs,
    described,
    disposition,
    'stream_side_data=displaymatrix',
  ];
  const answer = await ffprobe(input, stream, ['-show_entries', entries.join(':')]);
  const { format, programs: groups = [] } = answer;
  /** @type {Stream[]} */
  const streams = answer.streams ?? [];
  const videos = streams.filter(isOf('video'));
  const pictures = await picturesIn(input, stream, videos);
  const isCover = (/** @type {Stream} */ { index, codec_name: codec, disposition }) =>
    disposition.attached_pic === 1 || (IMAGE_CODECS.includes(codec) && !pictures.moving(index));
  const video = first(
    videos.filter((each) => !isCover(each)),
    (each) => each.disposition.default === 1,
    (each) => pictures.moving(each.index),
  );
  if (video === undefined)
    throw new Error(`${input.label} has no video${videos.length > 0 ? ', only a cover' : ''}`);
  /** @type {number[][]} */
  const together = groups.map((/** @type {{ streams: Stream[] }} */ { streams }) =>
    streams.map(({ index }) => index),
  );
  const audios = streams.filter(isOf('audio'));
  const audio = first(
    audios,
    ({ index }) => together.some((all) => all.includes(index) && all.includes(video.index)),
    (each) => each.disposition.default === 1,
  );
  return {
    hasEditLists: format.format_name.split(',').includes('mp4'),
    video: { ...track(video), ...pictureOf(video) },
    audio: audio && track(audio),
    counts: { video: videos.length, audio: audios.length },
  };
}

/**
 * Finds out which of several video streams have more than one picture.
 *
 * @param {import('./input.mjs').Input} input
 * @param {import('./stream.mjs').HeadedStream | undefined} stream
 * @param {Stream[]} videos
 */
async function picturesIn(input, stream, videos) {
  const isSure = videos.length === 1 && !IMAGE_CODECS.includes(videos[0]?.codec_name ?? '');
  if (videos.length === 0 || isSure) return { moving: () => true };
  const which = ['-select_streams', 'v', '-show_entries', 'packet=stream_index'];
  const { packets = [] } = await ffprobe(input, stream, [
    ...which,
    ...['-read_intervals', `%+${LOOKED_THROUGH_SECONDS}`],
  ]);
  const seen = packets.map((/** @type {{ stream_index: number }} */ packet) => packet.stream_index);
  return {
    /** @param {number} index */
    moving: (index) => seen.indexOf(index) !== seen.lastIndexOf(index),
  };
}

/**
 * @param {import('./input.mjs').Input} input
 * @param {import('./stream.mjs').HeadedStream | undefined} stream
 * @param {string[]} wish
 * @returns {Promise<any>} its answer
 */
async function ffprobe({ label, args }, stream, wish) {
  const child = spawn('ffprobe', ['-v', 'error', '-of', 'json', ...wish, ...args]);
  const [answer, words, [code]] = await Promise.all([
    json(child.stdout).catch(() => ({})),
    text(child.stderr),
    once(child, 'close'),
    stream ? stream.show(child) : child.stdin.end(),
  ]).catch((error) => {
    throw error.code === 'ENOENT'
      ? new Error('ffprobe is not installed: run npm run setup')
      : error;
  });
  if (code !== 0) throw new Error(`${label} cannot be read: ${reason(words)}`);
  return answer;
}

/**
 * The stream that fulfils the first wish; among several, the one that fulfils the next, and so on; among
 * equals, the first.
 *
 * @param {Stream[]} streams
 * @param {((stream: Stream) => boolean)[]} wishes
 */
function first(streams, ...wishes) {
  return wishes.reduce((left, wish) => {
    const better = left.filter(wish);
    return better.length > 0 ? better : left;
  }, streams)[0];
}

/** @param {string} type @returns {(stream: Stream) => boolean} */
const isOf = (type) => (stream) => stream.codec_type === type;

/** @param {Stream} stream @returns {Track} */
function track({ index, codec_name: codec, start_time: start = '0' }) {
  return { index, codec, start: Number(start) || 0 };
}

/** @param {Stream} stream */
function pictureOf({ width = 0, height = 0, color_transfer: transfer = '', side_data_list = [] }) {
  const described = side_data_list.find(({ displaymatrix }) => displaymatrix)?.displaymatrix ?? '';
  // Three lines of an address and three numbers; the third number does not matter.
  const numbers = [...described.matchAll(/: +(-?\d+) +(-?\d+)/g)].flatMap(([, x, y]) => [x, y]);
  return { width, height, transfer, matrix: numbers.slice(0, 4).map(Number) };
}
