import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The process ids of this test's ffmpegs. */
export async function ffmpegs(): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', [
    '-o',
    'pid=,comm=',
    '--ppid',
    `${process.pid}`,
  ]);
  const lines = stdout.trim().split('\n');
  return lines.filter((line) => line.endsWith('ffmpeg')).map((line) => Number.parseInt(line));
}
