import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { faceClip } from '../support/clips.js';
import { HttpClient, nextPart, readPlaylist } from '../support/playlist-client.js';
import { cpuByPart, type CpuByPart } from './cpu-by-part.js';
import { startPush, type Push } from '../support/push.js';
import { startStack, type Stack } from '../support/stack.js';
import { statsOf } from '../support/session-api.js';
import { table } from './tables.js';
import { ffmpegTranscode, gstreamerFaceDetect } from './other-pipelines.js';
import { webcamClip } from './webcam-clip.js';

const CLIP_SECONDS = 40;
const FPS = 30;
const CLIP_FRAMES = CLIP_SECONDS * FPS;
/** Of all sessions, until everything is as it will stay: faces known, what runs often compiled. */
const SETTLING_FRAMES = 120 * FPS;
const MIN_SETTLING_SECONDS = 20;
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 20);
/** People before a webcam, or a face that moves before a plain background, which costs less. */
const CLIPS = { webcam: webcamClip, made: faceClip };
const CLIP = process.env['BENCH_CLIP'] ?? 'webcam';
const EFFECT = process.env['BENCH_EFFECT'] ?? 'box';
const SESSIONS = (process.env['BENCH_SESSIONS'] ?? '1,4,5,6,8').split(',').map(Number);

/** What a frame costs from WebM in to HLS out, every process counted, and how many sessions go at once. */
export async function benchPipeline(): Promise<string> {
  const media = await mkdtemp(join(tmpdir(), 'facecast-pipeline-'));
  try {
    const clip = join(media, 'clip.webm');
    const make = Object.entries(CLIPS).find(([name]) => name === CLIP)?.[1];
    if (!make) throw new Error(`BENCH_CLIP: ${CLIP} is none of ${Object.keys(CLIPS).join(', ')}`);
    await make(clip, CLIP_SECONDS);
    const ours: Row[] = [];
    for (const count of SESSIONS) {
      const measured = await measureOurs(clip, count);
      // At once, because what a machine gets done in a second of CPU changes from minute to minute.
      const plain = await ffmpegTranscode(clip, media, { realTime: true });
      ours.push({ ...measured, plain: msAFrame(plain, CLIP_FRAMES) });
      // The gateway takes no more than can be searched.
      if (measured.sessions < count) break;
    }
    const fast = msAFrame(await ffmpegTranscode(clip, media, { realTime: false }), CLIP_FRAMES);
    const gstreamer = msAFrame(await gstreamerFaceDetect(clip, media), CLIP_FRAMES);
    return [comparison(ours, fast, gstreamer), costs(ours), limits(ours)].join('\n\n');
  } finally {
    await rm(media, { recursive: true, force: true });
  }
}

interface Measured {
  /** As many as were wanted, or fewer where the gateway takes no more. */
  sessions: number;
  seconds: number;
  /** Frames that the playlists list more than before, of all sessions. */
  frames: number;
  /** Seconds of CPU. */
  cpu: CpuByPart;
  undetected: number;
  /** Of the slowest session. */
  pipelineMs: number;
}

/** Measured, and beside it what ffmpeg's transcode in real time took right afterwards, in ms a frame. */
type Row = Measured & { plain: number };

async function measureOurs(clip: string, wanted: number): Promise<Measured> {
  const stack = await startStack();
  const pushes: Push[] = [];
  try {
    for (let n = 0; n < wanted; n++) {
      const push = await startPush(stack, clip, { loop: true, effect: EFFECT }).catch(
        () => undefined,
      );
      if (!push) break;
      pushes.push(push);
    }
    const settling = SETTLING_FRAMES / FPS / pushes.length;
    await after(1000 * Math.max(MIN_SETTLING_SECONDS, settling));
    const before = await look(stack, pushes);
    await after(SECONDS * 1000);
    const then = await look(stack, pushes);
    const stats = await Promise.all(pushes.map(({ sessionId }) => statsOf(stack, sessionId)));
    return {
      sessions: pushes.length,
      seconds: (then.at - before.at) / 1000,
      frames: then.frames - before.frames,
      cpu: new Map([...then.cpu].map(([part, s]) => [part, s - (before.cpu.get(part) ?? 0)])),
      undetected: then.undetected - before.undetected,
      pipelineMs: Math.max(...stats.map(({ pipelineMs }) => pipelineMs)),
    };
  } finally {
    await Promise.all(pushes.map((push) => push.stop()));
    await stack.stop();
  }
}

async function look(stack: Stack, pushes: Push[]) {
  const stats = await Promise.all(pushes.map(({ sessionId }) => statsOf(stack, sessionId)));
  const undetected = stats.reduce((sum, { framesUndetected }) => sum + framesUndetected, 0);
  const frames = await Promise.all(pushes.map((push) => framesListed(stack, push)));
  const cpu = await cpuByPart(stack);
  return { at: performance.now(), undetected, frames: frames.reduce((a, b) => a + b), cpu };
}

/** By the playlist, which is exact at any time. */
async function framesListed(stack: Stack, { sessionId }: Push): Promise<number> {
  const http = new HttpClient();
  const playlist = readPlaylist(await http.get(`${stack.url}/hls/${sessionId}/live.m3u8`));
  http.close();
  const { msn, part } = nextPart(playlist);
  return msn * FPS + (part * FPS) / 10;
}

const msAFrame = (cpuSeconds: number, frames: number) => (1000 * cpuSeconds) / frames;

const total = (cpu: CpuByPart) => [...cpu.values()].reduce((a, b) => a + b);

function comparison(ours: Row[], fast: number, gstreamer: number): string {
  const plain = ours.reduce((sum, row) => sum + row.plain, 0) / ours.length;
  const rows: { name: string; ms: number; besidePlain: number }[] = [
    ...ours.map((row) => ({
      name: `facecast, ${plural(row.sessions)}`,
      ms: msAFrame(total(row.cpu), row.frames),
      besidePlain: row.plain,
    })),
    { name: 'ffmpeg, transcode without faces, in real time', ms: plain, besidePlain: plain },
    { name: 'ffmpeg, the same as fast as it goes', ms: fast, besidePlain: plain },
    { name: "GStreamer's facedetect, its defaults", ms: gstreamer, besidePlain: plain },
  ];
  return table(
    [
      `${CLIP} clip, ${EFFECT}, WebM in to HLS out, 640x480`,
      'CPU ms a frame',
      "x ffmpeg's",
      "of GStreamer's",
    ],
    rows.map(({ name, ms, besidePlain }) => [
      name,
      ms.toFixed(1),
      (ms / besidePlain).toFixed(2),
      `1/${(gstreamer / ms).toFixed(1)}`,
    ]),
  );
}

function costs(ours: Row[]): string {
  const parts = [...new Set(ours.flatMap(({ cpu }) => [...cpu.keys()]))];
  return table(
    ['CPU ms a frame of', ...ours.map(({ sessions }) => plural(sessions))],
    parts.map((part) => [
      part,
      ...ours.map(({ cpu, frames }) => msAFrame(cpu.get(part) ?? 0, frames).toFixed(2)),
    ]),
  );
}

function limits(ours: Row[]): string {
  return table(
    ['at once', 'cores', 'frames a second each', 'frames unsearched', 'slowest pipeline ms'],
    ours.map((one) => [
      plural(one.sessions),
      (total(one.cpu) / one.seconds).toFixed(2),
      (one.frames / one.seconds / one.sessions).toFixed(1),
      String(one.undetected),
      String(one.pipelineMs),
    ]),
  );
}

const plural = (sessions: number) => `${sessions} session${sessions === 1 ? '' : 's'}`;
