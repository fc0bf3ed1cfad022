import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** As the segmenter encodes (see its `video-encoder.ts`), in one thread as there. */
const H264 = [
  ...['-c:v', 'libx264', '-preset', 'superfast', '-tune', 'zerolatency', '-threads', '1'],
  ...['-bf', '0', '-g', '30', '-keyint_min', '30', '-sc_threshold', '0'],
  ...['-crf', '23', '-maxrate', '2304k', '-bufsize', '2304k'],
];

/** ffmpeg's decode, encode and HLS, without any search; seconds of CPU. */
export async function ffmpegTranscode(
  clip: string,
  directory: string,
  { realTime }: { realTime: boolean },
): Promise<number> {
  const input = ['-v', 'error', ...(realTime ? ['-re'] : []), '-i', clip];
  const output = ['-f', 'hls', '-hls_time', '1', join(directory, 'plain.m3u8')];
  return cpuSecondsOf('ffmpeg', [...input, ...H264, ...output]);
}

/** GStreamer's element for the job that is ours, with its defaults; seconds of CPU. */
export async function gstreamerFaceDetect(clip: string, directory: string): Promise<number> {
  const stages = [
    ['filesrc', `location=${clip}`],
    ['matroskademux'],
    ['vp8dec'],
    ['videoconvert'],
    ['facedetect'],
    ['videoconvert'],
    ['x264enc', 'speed-preset=ultrafast', 'tune=zerolatency'],
    ['h264parse'],
    // Not hlssink2, which of version 1.22 does not always end.
    ['mpegtsmux'],
    ['hlssink', `location=${join(directory, 'gst-%05d.ts')}`, 'target-duration=1'],
  ];
  const pipeline = stages.flatMap((stage, n) => (n === 0 ? stage : ['!', ...stage]));
  const playlist = `playlist-location=${join(directory, 'gst.m3u8')}`;
  return cpuSecondsOf('gst-launch-1.0', ['-q', ...pipeline, playlist]);
}

/** Runs a program to its end. The shell's `times` tells its children's user and system time last. */
async function cpuSecondsOf(program: string, args: string[]): Promise<number> {
  const script = '"$@" >&2 && times';
  const { stdout } = await promisify(execFile)('sh', ['-c', script, 'sh', program, ...args], {});
  const last = stdout.trim().split('\n').at(-1) ?? '';
  const times = [...last.matchAll(/(\d+)m([\d.]+)s/g)];
  if (times.length !== 2) throw new Error(`the shell told no times: ${stdout}`);
  return times.reduce(
    (sum, [, minutes, seconds]) => sum + 60 * Number(minutes) + Number(seconds),
    0,
  );
}
