import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { setTimeout as after } from 'node:timers/promises';
import { drawFrame, type Scene, type TrueFace } from '@facecast/face-detector/testing/scene';
import type { I420Frame } from '@facecast/face-detector/i420';
import { Watchers } from '@facecast/face-detector/testing/watchers';
import type { Effect } from '@facecast/shared/protocol/ingest-protocol';
import { startLive } from '../../support/live-session.js';
import { cpuSeconds, processesOf, signal, type Process } from '../../support/processes.js';
import { startStack, type Stack } from '../../support/stack.js';
import { CpuLimit } from '../cpu-limit.js';
import { table } from '../tables.js';
import { loadPictures } from './pictures.js';
import { SCENE_FRAMES, scenesOf, type Size } from './scenes.js';

const VGA: Size = { width: 640, height: 480 };
const EFFECTS: Effect[] = ['blur', 'pixelate'];
const DETECTORS = 'services/face-detector';
const REPLICAS = 2;
const BETWEEN_KILLS_MS = 5_000;
/** What the detectors get of the CPU time that they would take. */
const OVERLOADED_SHARE = 0.5;
const FPS = 30;
/** A film that takes so many times as long as it plays has been given up by somebody. */
const MAX_TIMES_AS_LONG = 3;

/** All clips with faces, one after another, as one recording. */
interface Film {
  webm: Buffer;
  scenes: Scene[];
  /** The faces of each frame. */
  faces: readonly TrueFace[][];
}

/** What is done to the detectors while they work; answers how to stop doing it. */
type Disturb = (stack: Stack, usual: number) => Promise<() => Promise<void>>;

const disturbances: Record<string, Disturb> = {
  'left in peace': async () => async () => {},
  'one of two killed every 5 s': async (stack) =>
    killing(stack, (all, turn) => [all[turn % all.length]!]),
  'all killed every 5 s': async (stack) => killing(stack, (all) => all),
  'overloaded twice over': async (stack, usual) => {
    const share = (OVERLOADED_SHARE * usual) / REPLICAS;
    const limits = (await processesOf(stack, DETECTORS)).map(({ pid }) => new CpuLimit(pid, share));
    return async () => limits.forEach((limit) => limit.lift());
  },
};

/**
 * The whole system hides all clips with faces, live; of what a viewer gets, in how many frames does
 * somebody's finder still find one?
 */
export async function benchHiddenLive(): Promise<string> {
  const film = await filmOf(
    (await scenesOf(await loadPictures(), VGA)).filter(({ actors }) => actors.length > 0),
  );
  const watchers = await Watchers.load();
  const stack = await startStack({ DETECTOR_REPLICAS: String(REPLICAS) });
  const rows: string[][] = [];
  try {
    /** Cores that the detectors need for all sessions. */
    let usual = 0;
    for (const [name, disturb] of Object.entries(disturbances)) {
      const before = await cpuOf(stack);
      const startedAt = performance.now();
      const stop = await disturb(stack, usual);
      const shown = await Promise.all(EFFECTS.map(async (effect) => show(stack, film, effect)));
      await stop();
      usual ||= ((await cpuOf(stack)) - before) / ((performance.now() - startedAt) / 1000);
      for (const [n, { pictures, undetected }] of shown.entries()) {
        const seenIn = await seenFrames(watchers, film, pictures);
        const counts = [String(pictures.length), String(undetected), String(seenIn.length)];
        const row = [name, EFFECTS[n]!, ...counts, whereOf(film, seenIn)];
        console.error(row.join(' | '));
        rows.push(row);
      }
    }
  } finally {
    await stack.stop();
  }
  const header = [
    'the detectors are',
    'effect',
    'frames',
    'unsearched',
    'that show a face',
    'where',
  ];
  return table(header, rows);
}

async function cpuOf(stack: Stack): Promise<number> {
  const all = await processesOf(stack, DETECTORS);
  const each = await Promise.all(all.map(async ({ pid }) => cpuSeconds(pid)));
  return each.reduce((sum, one) => sum + one, 0);
}

/** Some of the detectors are killed again and again. */
async function killing(
  stack: Stack,
  choose: (all: Process[], turn: number) => Process[],
): Promise<() => Promise<void>> {
  const stopping = new AbortController();
  const kills = (async () => {
    for (let turn = 0; ; turn++) {
      await after(BETWEEN_KILLS_MS, undefined, { signal: stopping.signal });
      signal(choose(await processesOf(stack, DETECTORS), turn), 'SIGKILL');
    }
  })();
  return async () => {
    stopping.abort();
    await kills.catch(() => {});
  };
}

async function show(stack: Stack, { webm, faces }: Film, effect: Effect) {
  const session = await startLive(stack, webm, effect);
  const frames = await Promise.race([session.finish(), tooLate(faces.length)]);
  const pictures = await session.viewer.pictures();
  // Places are known by the number of the frame, so that none may be missing.
  if (frames !== faces.length || pictures.length !== frames)
    throw new Error(`of ${faces.length} frames ${frames} were shown and ${pictures.length} came`);
  return { pictures, undetected: (await session.stats()).framesUndetected };
}

/** Rejects when a film of so many frames should have ended long ago. */
async function tooLate(frames: number): Promise<never> {
  const seconds = (MAX_TIMES_AS_LONG * frames) / FPS;
  await after(1_000 * seconds, undefined, { ref: false });
  throw new Error(`a film of ${frames} frames had no end after ${seconds} s`);
}

async function seenFrames(watchers: Watchers, { faces }: Film, pictures: Buffer[]) {
  const seenIn: number[] = [];
  for (const [n, pixels] of pictures.entries())
    if (await watchers.see(greyFrame(pixels), faces[n]!)) seenIn.push(n);
  return seenIn;
}

/** A viewer's luma as a frame without colours. */
function greyFrame(pixels: Buffer): I420Frame {
  const half = { width: VGA.width / 2, height: VGA.height / 2 };
  const chroma = { pixels: Buffer.alloc(half.width * half.height, 128), ...half };
  return { y: { pixels, ...VGA }, u: chroma, v: chroma };
}

function whereOf({ scenes }: Film, seenIn: number[]): string {
  return seenIn
    .map((n) => `${scenes[Math.floor(n / SCENE_FRAMES)]!.name} ${n % SCENE_FRAMES}`)
    .join(', ');
}

/** VP8 as a camera's recording has it, in clusters of a tenth of a second. */
async function filmOf(scenes: Scene[]): Promise<Film> {
  const raw = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${VGA.width}x${VGA.height}`];
  const vp8 = ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '4M'];
  const webm = ['-g', '30', '-f', 'webm', '-cluster_time_limit', '100', '-live', '1', '-'];
  const ffmpeg = spawn(
    'ffmpeg',
    ['-v', 'error', ...raw, '-r', `${FPS}`, '-i', '-', ...vp8, ...webm],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const written = buffer(ffmpeg.stdout);
  const faces: TrueFace[][] = [];
  for (const scene of scenes)
    for (let n = 0; n < SCENE_FRAMES; n++) {
      const { frame, faces: inFrame } = drawFrame(scene, n);
      faces.push(inFrame);
      for (const { pixels } of [frame.y, frame.u, frame.v])
        if (!ffmpeg.stdin.write(pixels)) await once(ffmpeg.stdin, 'drain');
    }
  ffmpeg.stdin.end();
  return { webm: await written, scenes, faces };
}
