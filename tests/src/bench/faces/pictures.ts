import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, renameSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Plane } from '@facecast/face-detector/i420';
import { cutoutOf, type Cutout, type KnownFace } from '@facecast/face-detector/testing/scene';

/**
 * Photographs of people whose faces were marked by hand: those of the npm package
 * `@vladmandic/face-api` (MIT), which are fetched when the benchmark runs, and one of NASA's.
 */
const PACKAGE = '@vladmandic/face-api@1.7.15';
/** x, y and width of each square face in pixels of sampleN.jpg; those marked `side` look elsewhere. */
const FACES: Record<number, [number, number, number, 'side'?][]> = {
  1: [
    [418, 399, 194],
    [853, 463, 187, 'side'],
    [1482, 259, 166, 'side'],
  ],
  2: [
    [1456, 192, 194, 'side'],
    [874, 247, 235, 'side'],
    [350, 171, 248, 'side'],
  ],
  3: [
    [583, 372, 224],
    [1467, 343, 230],
    [1066, 273, 239],
  ],
  4: [
    [674, 127, 167],
    [983, 228, 187, 'side'],
    [228, 246, 196, 'side'],
    [1284, 211, 164, 'side'],
  ],
  5: [
    [1110, 261, 183],
    [772, 156, 177],
    [570, 455, 209],
    [352, 927, 242],
    [1403, 429, 235],
  ],
  6: [
    [239, 532, 229],
    [1154, 346, 236],
    [1479, 313, 239],
    [665, 382, 240],
  ],
};

const fixture = (name: string) => new URL(`../../../fixtures/${name}`, import.meta.url).pathname;

/** Fetches the photographs, once a machine. */
function fetchPictures(): string {
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'facecast');
  const directory = join(cache, 'bench-pictures');
  if (existsSync(directory)) return directory;
  mkdirSync(cache, { recursive: true });
  const scratch = mkdtempSync(join(tmpdir(), 'facecast-pictures-'));
  run('npm', ['pack', '--silent', PACKAGE, '--pack-destination', scratch]);
  run('sh', ['-c', `cd ${scratch} && tar xzf *.tgz package/demo && cp -r package/demo pictures`]);
  run('cp', ['-r', join(scratch, 'pictures'), `${directory}.${process.pid}`]);
  renameSync(`${directory}.${process.pid}`, directory);
  return directory;
}

function run(program: string, args: string[]): void {
  const { status } = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}`);
}

/** A picture's grey levels, at its own size or at another. */
export async function grey(path: string, size?: { width: number; height: number }): Promise<Plane> {
  const filter = size
    ? `scale=${size.width}:${size.height}:force_original_aspect_ratio=increase,crop=${size.width}:${size.height},format=gray`
    : 'format=gray';
  return pgm(['-i', path, '-vf', filter]);
}

/** A picture that ffmpeg makes up. */
export async function synthetic(source: string): Promise<Plane> {
  return pgm(['-f', 'lavfi', '-i', source, '-vf', 'format=gray']);
}

async function pgm(input: string[]): Promise<Plane> {
  const args = ['-v', 'error', ...input, '-frames:v', '1', '-f', 'image2pipe', '-c:v', 'pgm', '-'];
  const ffmpeg = spawn('ffmpeg', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(ffmpeg, 'close');
  const bytes = await buffer(ffmpeg.stdout);
  await closed;
  const header = /^P5\s+(\d+)\s+(\d+)\s+255\s/.exec(bytes.subarray(0, 64).toString('latin1'));
  if (!header) throw new Error(`ffmpeg made no picture of ${input.join(' ')}`);
  return {
    pixels: bytes.subarray(header[0].length),
    width: Number(header[1]),
    height: Number(header[2]),
  };
}

/** Everything that scenes are made of. */
export interface Pictures {
  /** One head and shoulders each, all looking at the camera. */
  people: Cutout[];
  /** Whole photographs with several faces. */
  groups: Cutout[];
}

export async function loadPictures(): Promise<Pictures> {
  const directory = fetchPictures();
  const people: Cutout[] = [];
  const groups: Cutout[] = [];
  for (const [n, marks] of Object.entries(FACES)) {
    const picture = await grey(join(directory, `sample${n}.jpg`));
    const faces = marks.map(([x, y, width, side]): KnownFace => {
      return { x, y, width, height: width, frontal: side === undefined };
    });
    groups.push(cutoutOf(picture, { x: 0, y: 0, ...picture }, faces));
    for (const face of faces) if (face.frontal) people.push(portrait(picture, face));
  }
  const astronaut = await grey(fixture('astronaut.jpg'));
  people.push(portrait(astronaut, { x: 176, y: 66, width: 95, height: 95, frontal: true }));
  return { people, groups };
}

function portrait(picture: Plane, face: KnownFace): Cutout {
  const x = Math.max(0, Math.round(face.x - 0.7 * face.width));
  const y = Math.max(0, Math.round(face.y - 0.8 * face.width));
  const width = Math.min(picture.width - x, Math.round(2.4 * face.width));
  const height = Math.min(picture.height - y, Math.round(3 * face.width));
  return cutoutOf(picture, { x, y, width, height }, [face]);
}

export { fixture };
