import { setTimeout as after } from 'node:timers/promises';
import { mutated } from '@facecast/shared/testing/mutate';
import { clickingClip, countedClip, cut, FPS, H264_MP4, VP8_WEBM } from './counted-clips.js';
import type { Surroundings } from './surroundings.js';

const FRAMES = 12;
const SIZE = { width: 64, height: 48 };
const WEBM = [...VP8_WEBM, '-g', '4'];
const MP4 = [...H264_MP4, '-g', '4'];

/** An input stream that is to be broken. */
export interface Fuzzed {
  mimeType: string;
  make: () => Promise<Buffer>;
}

/** One of each container, without and with audio. */
export const FUZZED: Record<string, Fuzzed> = {
  WebM: { mimeType: 'video/webm', make: () => countedClip(FRAMES, WEBM, SIZE) },
  MP4: { mimeType: 'video/mp4', make: () => countedClip(FRAMES, MP4, SIZE) },
  'WebM with sound': {
    mimeType: 'video/webm',
    make: () => clickingClip(FRAMES / FPS, [...WEBM, '-c:a', 'libopus']),
  },
  'MP4 with sound': {
    mimeType: 'video/mp4',
    make: () => clickingClip(FRAMES / FPS, [...MP4, '-c:a', 'aac']),
  },
};

/** What became of broken input streams. */
export interface FuzzReport {
  recordings: number;
  /** Frames that came out of them. */
  frames: number;
  /** How many were refused, as they should be where nothing can be made of them. */
  refused: number;
  /** Seeds of those that ended with another error. */
  failed: number[];
  /** Seeds of those that took too long to end. */
  hung: number[];
  slowestMs: number;
}

/**
 * Sends an input stream, broken by each seed, to the extractor, each in a session of its own.
 * @param hangMs a session that has not ended so long after all of it was sent hangs
 */
export async function fuzz(
  around: Surroundings,
  { mimeType, make }: Fuzzed,
  seeds: { from: number; count: number; atOnce: number },
  hangMs: number,
): Promise<FuzzReport> {
  const recording = await make();
  const report: FuzzReport = {
    recordings: 0,
    frames: 0,
    refused: 0,
    failed: [],
    hung: [],
    slowestMs: 0,
  };
  let next = seeds.from;
  const work = async () => {
    while (next < seeds.from + seeds.count) {
      const seed = next++;
      const bytes = mutated(recording, seed);
      const ms = await sendBroken(around, mimeType, bytes, { seed, report, hangMs });
      report.recordings++;
      report.slowestMs = Math.max(report.slowestMs, ms);
      if (ms >= hangMs) report.hung.push(seed);
    }
  };
  await Promise.all(Array.from({ length: seeds.atOnce }, work));
  return report;
}

/** Resolves to how long it took from its last byte to its end, in milliseconds. */
async function sendBroken(
  around: Surroundings,
  mimeType: string,
  bytes: Buffer,
  { seed, report, hangMs }: { seed: number; report: FuzzReport; hangMs: number },
): Promise<number> {
  const session = await around.begin(mimeType);
  await session.send(cut(bytes, 1, 4000));
  await session.stop();
  const sentAt = performance.now();
  const end = await Promise.race([session.end(), after(hangMs, undefined, { ref: false })]);
  const ms = performance.now() - sentAt;
  if (!end) return ms;
  report.frames += end.frames;
  if (end.error?.code === 'unsupported_media') report.refused++;
  else if (end.error) report.failed.push(seed);
  await around.until(() => session.jobs.length >= end.batches);
  await around.forget(session);
  await around.leaseJobDone(session);
  return ms;
}
