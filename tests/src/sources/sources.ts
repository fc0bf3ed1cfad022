import type { Marks } from './marked-clip.js';

/** A source made with ffmpeg, how it is published, and how its session must look. */
export interface Source {
  name: string;
  /** `ingest`: its bytes as they are; `push`: as a file, by `npm run push`; `page`: as a file, by the page. */
  way: 'ingest' | 'push' | 'page';
  /** Marks of the clip that it is made from. */
  marks: Marks;
  /** Arguments with which ffmpeg encodes it. */
  encoding: string[];
  /** Whether players are told to turn it by 90 degrees to the left. */
  isTurned?: boolean;
  /** For a WebM: the sizes of its pictures, each for as long as the marks say. */
  sizes?: { width: number; height: number }[];
  /** Extension of its file, which tells the type. */
  extension: 'webm' | 'mkv' | 'mp4' | 'mov' | 'avi';
  hasSound: boolean;
  /** Whether the tests publish it, too, and not only the benchmark, and play it in hls.js besides. */
  isLean?: boolean;
  alsoInHlsJs?: boolean;
  /** Size of the output. */
  width: number;
  height: number;
}

const OPUS = ['-c:a', 'libopus', '-ac', '2'];
const VORBIS = ['-c:a', 'libvorbis', '-ac', '2'];
const AAC = ['-c:a', 'aac', '-ac', '2'];
const VP8 = ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '2M', '-g', '30'];
const VP9 = [
  ...['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '2M'],
  ...['-g', '30', '-lag-in-frames', '0'],
];
const AV1 = ['-c:v', 'libsvtav1', '-preset', '12', '-g', '30', '-crf', '30'];
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '30'];
const H264_REORDERED = ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '3', '-g', '30'];
const HEVC = [
  ...['-c:v', 'libx265', '-preset', 'ultrafast', '-g', '30', '-tag:v', 'hvc1'],
  ...['-x265-params', 'log-level=error'],
];
const LIVE_WEBM = ['-f', 'webm', '-live', '1', '-cluster_time_limit', '100'];
const LIVE_MKV = ['-f', 'matroska', '-live', '1', '-cluster_time_limit', '100'];
const FRAGMENTED = ['-movflags', '+delay_moov+default_base_moof+frag_keyframe', '-f', 'mp4'];

const TEN_BITS = ['-pix_fmt', 'yuv420p10le'];
const UPRIGHT = { width: 240, height: 320 };
const TURNED_BACK = ['-vf', 'transpose=clock'];
/** Drops a third of all frames, some of them in a row. */
const UNEVEN = [
  ...['-vf', "select='not(between(mod(n,20),3,9))*not(eq(mod(n,7),1))'"],
  ...['-fps_mode', 'vfr'],
];

const mp4 = { extension: 'mp4' } as const;
const LEAN = { isLean: true };
const PLAIN = { width: 320, height: 240, fps: 30, seconds: 3 };

type Differences = Partial<Omit<Source, 'marks' | 'name' | 'encoding'>> & {
  marks?: Partial<Marks>;
};

function source(name: string, encoding: string[], differences: Differences = {}): Source {
  const marks = { ...PLAIN, ...differences.marks };
  const { width, height } = marks;
  return {
    ...{ name, encoding, way: 'ingest', extension: 'webm', hasSound: true, width, height },
    ...differences,
    marks,
  };
}

const picture = (name: string, marks: Partial<Marks>, encoding: string[], more?: Differences) =>
  source(name, ['-an', ...encoding], { hasSound: false, marks, ...more });

/** Input streams as recorders write them. */
const recordings: Source[] = [
  source('WebM: VP8, Opus', [...VP8, ...OPUS, ...LIVE_WEBM]),
  source('WebM: VP9, Opus', [...VP9, ...OPUS, ...LIVE_WEBM]),
  source('WebM: AV1, Opus', [...AV1, ...OPUS, ...LIVE_WEBM], LEAN),
  source('Matroska: H.264, Opus', [...H264, ...OPUS, ...LIVE_MKV], { extension: 'mkv' }),
  source('MP4: H.264, AAC', [...H264, ...AAC, ...FRAGMENTED], mp4),
  source('MP4: H.264, Opus', [...H264, ...OPUS, ...FRAGMENTED], mp4),
  source('MP4: HEVC, AAC', [...HEVC, ...AAC, ...FRAGMENTED], { ...mp4, ...LEAN }),
  source('MP4: H.264 with B frames, AAC', [...H264_REORDERED, ...AAC, ...FRAGMENTED], {
    ...{ ...mp4, ...LEAN },
  }),
];

/** Files as people have them; those that the page can read are published both ways. */
const files: Source[] = [
  ...(['push', 'page'] as const).flatMap((way) => [
    source('MP4: H.264, AAC', [...H264_REORDERED, ...AAC], {
      ...{ ...mp4, way, isLean: way === 'page' },
    }),
    source('MOV: H.264, AAC', [...H264_REORDERED, ...AAC], { way, extension: 'mov' }),
    source('MKV: H.264, Vorbis', [...H264, ...VORBIS], { way, extension: 'mkv' }),
    source('WebM: VP9, Opus', [...VP9, ...OPUS], { way }),
    source('MKV: HEVC, FLAC', [...HEVC, '-c:a', 'flac'], {
      ...{ way, extension: 'mkv', isLean: way === 'push' },
    }),
    source('AVI: MPEG-4, MP3', ['-c:v', 'mpeg4', '-q:v', '3', '-c:a', 'libmp3lame'], {
      ...{ ...LEAN, way, extension: 'avi' },
    }),
    picture('MP4 with a rotation flag', UPRIGHT, [...TURNED_BACK, ...H264], {
      ...{ ...mp4, way, isTurned: true },
    }),
  ]),
  source('MOV: ProRes, PCM', ['-c:v', 'prores_ks', '-c:a', 'pcm_s16le'], {
    ...{ way: 'push', extension: 'mov' },
  }),
];

const sizes: Source[] = [
  picture('321x241', {}, ['-vf', 'scale=321:241', ...H264, '-pix_fmt', 'yuv444p', ...LIVE_MKV], {
    ...{ ...LEAN, extension: 'mkv', alsoInHlsJs: true },
  }),
  picture('64x48', { width: 64, height: 48 }, [...VP8, ...LIVE_WEBM]),
  picture('1920x1080', { width: 1920, height: 1080, seconds: 2 }, [...H264, ...FRAGMENTED], {
    ...{ ...mp4, width: 1280, height: 720 },
  }),
  picture('704x1280', { width: 704, height: 1280, seconds: 2 }, [...VP8, ...LIVE_WEBM], {
    ...{ width: 396, height: 720 },
  }),
  picture('with a rotation flag', UPRIGHT, [...TURNED_BACK, ...H264, ...FRAGMENTED], {
    ...{ ...mp4, ...LEAN, isTurned: true },
  }),
  picture('of several sizes', {}, VP8, {
    sizes: [PLAIN, { width: 640, height: 480 }, { width: 160, height: 120 }],
  }),
  picture('HEVC, 10 bit', {}, [...HEVC, ...TEN_BITS, ...FRAGMENTED], mp4),
  picture('H.264, 10 bit', {}, [...H264, ...TEN_BITS, ...FRAGMENTED], mp4),
  picture('VP9, 10 bit', {}, [...VP9, ...TEN_BITS, ...LIVE_WEBM]),
];

const rates: Source[] = [
  ...[1, 5, 15, 24, 25, 29.97, 50, 60, 120].map((fps) =>
    picture(`${fps} frames a second`, { fps, seconds: fps < 5 ? 8 : 3 }, [...VP8, ...LIVE_WEBM], {
      isLean: fps === 1,
    }),
  ),
  picture('a rate that varies', { seconds: 4 }, [...UNEVEN, ...VP8, ...LIVE_WEBM], LEAN),
];

const sounds: Source[] = [
  source('Opus, mono', [...VP8, '-c:a', 'libopus', '-ac', '1', ...LIVE_WEBM]),
  source('AAC, 44.1 kHz', [...H264, ...AAC, '-ar', '44100', ...FRAGMENTED], mp4),
  source('AAC, 44.1 kHz, mono', [...H264, ...AAC, '-ar', '44100', '-ac', '1', ...FRAGMENTED], {
    ...{ ...mp4, ...LEAN, alsoInHlsJs: true },
  }),
  source('Opus, 5.1', [...VP8, '-c:a', 'libopus', '-ac', '6', ...LIVE_WEBM]),
];

export const sources: Source[] = [...recordings, ...files, ...sizes, ...rates, ...sounds];

/** The sources that the tests publish: each can find a fault that no other finds. */
export const leanSources = sources.filter(({ isLean }) => isLean);
