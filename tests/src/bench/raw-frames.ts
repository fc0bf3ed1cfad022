import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** All frames of a media file as I420 planes, one after another. */
export async function rawFrames(path: string): Promise<Buffer> {
  const output = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', 'pipe:1'];
  const ffmpeg = spawn('ffmpeg', ['-v', 'error', '-i', path, ...output], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const parts: Buffer[] = [];
  ffmpeg.stdout.on('data', (part: Buffer) => parts.push(part));
  await once(ffmpeg, 'close');
  return Buffer.concat(parts);
}
