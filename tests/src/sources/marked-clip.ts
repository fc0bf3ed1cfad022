import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { countedClip } from '@facecast/shared/testing/counted-clip';

const run = promisify(execFile);
const SAMPLE_RATE = 48_000;
const CLICK_SECONDS = 0.02;
const CLICK_HERTZ = 3_000;
const FLASH_SECONDS = 0.05;
const HUM_HERTZ = 440;
const LOSSLESS = ['-c:v', 'ffv1', '-c:a', 'pcm_s16le', '-f', 'nut'];

/** Options of a marked clip. */
export interface Marks {
  width: number;
  height: number;
  fps: number;
  seconds: number;
  /** Number of the first frame; if it is set, the clip has no audio. */
  first?: number;
  /** Whether there is a tone between the clicks, so that missing audio is noticed. */
  hums?: boolean;
}

/** The frames at which a flash and a click begin: one a second, as far as there are frames. */
function flashFrames({ fps, seconds }: Pick<Marks, 'fps' | 'seconds'>): number[] {
  const every = Math.max(1, 2 / fps);
  const count = Math.floor(seconds / every);
  return Array.from({ length: count }, (_, n) => Math.ceil((n + 0.5) * every * fps - 0.001));
}

/**
 * Makes a clip of counted frames, with a white picture and a click together once a second. It is lossless
 * (FFV1 and PCM) unless `encoding` says otherwise; sources to be published are made from it.
 */
export async function markedClip(path: string, marks: Marks, encoding = LOSSLESS): Promise<void> {
  const { fps, seconds } = marks;
  const flashes = flashFrames(marks);
  const isWhite = (n: number) =>
    flashes.some((first) => n >= first && (n === first || (n - first) / fps < FLASH_SECONDS));
  const clicks = `${path}.pcm`;
  await writeFile(clicks, pcmClicks(flashes, marks));
  const sound = ['-f', 's16le', '-ar', `${SAMPLE_RATE}`, '-ac', '1', '-i', clicks];
  const output = [...sound, '-map', '0:v', '-map', '1:a', ...encoding];
  await writeFile(
    path,
    await countedClip(Math.round(fps * seconds), output, { ...marks, isWhite }),
  );
  await rm(clicks);
}

/** Encodes a marked clip as a source to be published. */
export async function encoded(clip: string, path: string, encoding: string[]): Promise<void> {
  await run('ffmpeg', ['-v', 'error', '-y', '-i', clip, ...encoding, path]);
}

/** Concatenates the WebMs that a list names into one. */
export async function joined(list: string, path: string): Promise<void> {
  const output = ['-c', 'copy', '-f', 'webm', '-live', '1', path];
  await run('ffmpeg', ['-v', 'error', '-y', '-f', 'concat', '-i', list, ...output]);
}

/**
 * Sets the matrix of an MP4 so that players turn it by 90 degrees to the left (ISO/IEC 14496-12, section
 * 8.3.2).
 */
export async function turn(path: string): Promise<void> {
  const mp4 = await readFile(path);
  const matrix = mp4.indexOf('tkhd') + 4 + 40;
  [0, -0x10000, 0, 0x10000, 0, 0, 0, 0, 0x40000000].forEach((value, n) =>
    mp4.writeInt32BE(value, matrix + 4 * n),
  );
  await writeFile(path, mp4);
}

function pcmClicks(flashes: number[], { fps, seconds, hums }: Marks): Buffer {
  const samples = new Int16Array(Math.round(seconds * SAMPLE_RATE));
  const tone = (hertz: number, n: number) => Math.cos((2 * Math.PI * hertz * n) / SAMPLE_RATE);
  if (hums) samples.forEach((_, n) => (samples[n] = 0x600 * tone(HUM_HERTZ, n)));
  for (const flash of flashes) {
    const from = Math.round((flash / fps) * SAMPLE_RATE);
    for (let n = 0; n < CLICK_SECONDS * SAMPLE_RATE; n++)
      samples[from + n] = 0x5000 * tone(CLICK_HERTZ, n);
  }
  return Buffer.from(samples.buffer);
}
