import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { piecesOf } from './traces.js';

const run = promisify(execFile);

/** A clip of random noise: bytes found of it cannot come from anything else. */
export interface NoiseClip {
  /** VP8, of `NOISE_SIZE` at 30 frames a second, as MediaRecorder writes it. */
  webm: Buffer;
  /** Pieces of it, as it is and decoded: planar YUV 4:2:0, as the frame-extractor writes it. */
  pieces: Buffer[];
}

/** Pixels of a noise clip. */
export const NOISE_SIZE = { width: 320, height: 240 };

/** @param directory for a temporary file */
export async function noiseClip(directory: string, seconds: number): Promise<NoiseClip> {
  const path = join(directory, 'noise.webm');
  const noise = `noise=alls=40:allf=t:all_seed=${randomInt(2 ** 30)}`;
  const source = `testsrc2=size=${NOISE_SIZE.width}x${NOISE_SIZE.height}:rate=30:duration=${seconds},${noise}`;
  const vp8 = ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '2M'];
  const options = ['-g', '30', '-f', 'webm', '-cluster_time_limit', '100', '-live', '1'];
  await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', source, ...vp8, ...options, path]);
  const webm = await readFile(path);
  return { webm, pieces: [...piecesOf(webm), ...piecesOf(await firstPictures(path))] };
}

/** The decoded pictures of the first second. */
async function firstPictures(path: string): Promise<Buffer> {
  const raw = ['-t', '1', '-f', 'rawvideo', '-pix_fmt', 'yuv420p', 'pipe:1'];
  const options = { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 } as const;
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', path, ...raw], options);
  return stdout;
}
