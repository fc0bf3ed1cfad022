import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@facecast/shared/runtime/logger';
import type { Session } from '@facecast/shared/redis/session';
import { samplesBefore } from '@facecast/shared/media/audio';
import { afterEach, beforeEach } from 'vitest';
import { createSegmenterMetrics } from '../metrics.js';
import { Packager } from '../hls/packager.js';
import { PartEncoder } from '../encode/part-encoder.js';
import { StatsCounter } from '../session/stats-counter.js';
import { CADENCE, CAPTURED_AT, renderedBatch } from './cadence.js';
import { HEIGHT, numberedFrames, playNumbers, run, upTo, WIDTH } from './test-frames.js';
import { clicks, flashes } from './test-audio.js';
import { parseStrictly } from './strict-parser.js';
import { TimelineFile } from '../hls/timeline-file.js';
import type { SessionRecorder } from '../recording/session-recorder.js';
import { RecordingService } from '../recording/recording-service.js';

const FACE = { id: 3, x: 10, y: 20, width: 30, height: 40, score: 0.5 };
export const SESSION = {
  id: 'session',
  record: true,
  createdAt: CAPTURED_AT,
  resumeTokenHash: 'hash',
} as Session;

export let root: string;
export let live: string;
export let folder: string;
let encoder: PartEncoder;
export let packager: Packager;
let timeline: TimelineFile;
export let recorder: SessionRecorder | undefined;
export let recordings: RecordingService;
export let metrics: ReturnType<typeof createSegmenterMetrics>;

/** Takes the session up as a segmenter does, be it new or left by another. */
export async function hold(options: { minFreeBytes?: number; maxFinishMs?: number } = {}) {
  const log = createLogger('test', 'fatal');
  recordings = new RecordingService({
    hlsDir: join(root, 'hls'),
    recordingsDir: join(root, 'recordings'),
    ...{ cadence: CADENCE, minFreeBytes: 0, metrics, log, ...options },
  });
  const read = (batch: number) => Promise.resolve(clicks(batch * 3, 3));
  encoder = new PartEncoder({
    ...{ cadence: CADENCE, audioSource: { read, readNew: read }, log },
    onReplaced: () => {},
  });
  packager = await Packager.open(live, { cadence: CADENCE, windowSeconds: 30 });
  const firstFrame = packager.frames;
  timeline = await TimelineFile.open(join(live, 'faces.ndjson'), {
    ...{ fps: 30, firstFrame, volume: { write: (attempt) => attempt() } },
  });
  recorder = recordings.record(SESSION);
}

/** Publishes batches of numbered pictures, or of what else is given; each third frame has a face. */
export async function publish(
  batches: number,
  picture: (first: number) => Buffer = numbered,
  scale = 1,
) {
  for (let left = batches; left > 0; left--) {
    const faces = (n: number) => (n === 0 ? [FACE] : []);
    const batch = renderedBatch(packager.batches, {
      ...{ width: WIDTH * scale, height: HEIGHT * scale },
      samples: picture === flashing ? samplesBefore(3, 30) : 0,
      frames: [0, 1, 2].map((n) => ({ searched: true, hidden: false, faces: faces(n) })),
    });
    const { content, init } = await encoder.encode(batch, picture(batch.firstFrame));
    if (init) packager.begin(init);
    await timeline.append(batch);
    const { firstFrame, frameCount: frames, capturedAt } = batch;
    await packager.add({ firstFrame, frames, capturedAt }, content);
    recorder?.update(packager.segments);
  }
}

const numbered = (first: number) => numberedFrames(first, 3);
export const twiceAsLarge = (first: number) => numberedFrames(first, 3, 2);
export const flashing = (first: number) => flashes(first, 3);

/** Ends the session; then nothing of its live playlist is left. */
export async function end() {
  await packager.end();
  const stats = {
    ...new StatsCounter(SESSION.id, 30).snapshot('ended'),
    framesOut: packager.frames,
  };
  const state = await recordings.finish(stats, packager.segments);
  await rm(live, { recursive: true });
  return state;
}

/** What a killed segmenter leaves: its encoders are gone, and nobody was told. */
export async function kill() {
  await recorder?.close();
  await encoder.close();
}

export const file = (name: string) => join(folder, name);
export const playlist = async () => parseStrictly(await readFile(file('recording.m3u8'), 'utf8'));
export const playBoth = async () => [
  await playNumbers(file('recording.mp4')),
  await playNumbers(file('recording.m3u8')),
];
export const facesOf = async () =>
  (await readFile(file('faces.ndjson'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { frame: number }).frame);
export const everyThird = (frames: number) => upTo(frames).filter((n) => n % 3 === 0);

export async function seen(...options: string[]) {
  const args = ['-v', 'error', '-select_streams', 'v', ...options];
  const output = ['-show_entries', 'packet=pts_time', '-of', 'csv=p=0', file('recording.mp4')];
  return { stdout: (await run('ffprobe', [...args, ...output])).toString().trim() };
}

/** A session with a live folder and its recordings, before each test; all of it goes after it. */
export function useRecordings(): void {
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'facecast-recording-'));
    live = join(root, 'hls', SESSION.id);
    folder = join(root, 'recordings', SESSION.id);
    await mkdir(live, { recursive: true });
    metrics = createSegmenterMetrics();
    await hold();
  });
  afterEach(async () => {
    await encoder.close();
    await rm(root, { recursive: true });
  });
}
