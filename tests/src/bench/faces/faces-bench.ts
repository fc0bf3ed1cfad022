import type { Size } from '@facecast/shared/media/size';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import type { Effect } from '@facecast/shared/protocol/ingest-protocol';
import { table } from '../tables.js';
import { CLASSES, MIN_HEIGHT } from './coverage.js';
import { hasYunet } from './models.js';
import type { FinderName, Task } from './worker.js';

const VGA: Size = { width: 640, height: 480 };
const HD: Size = { width: 1280, height: 720 };
const CROWDS = [0, 1, 5, 10, 30];
const CROWD_EFFECTS: Effect[] = ['box', 'blur', 'pixelate', 'black'];

/**
 * How well faces are found and hidden, on real pictures and on clips that are hard to hide in, and
 * what that costs: each finder with what it knows of the frames before, and alone.
 */
export async function benchFaces(): Promise<string> {
  const finders: FinderName[] = hasYunet() ? ['yunet', 'blazeface'] : ['blazeface'];
  const sections: string[] = [];
  const add = (title: string, header: string[], rows: string[][]) =>
    sections.push(`### ${title}\n\n${table(header, rows)}`);

  const classes = [...CLASSES.map((least) => `${least} px`), `from ${MIN_HEIGHT}`];
  const stillHeader = [
    ...['finder', 'picture', 'effect'],
    ...classes.map((one) => `first: ${one}`),
    ...classes.map((one) => `1.4 s: ${one}`),
    ...['false a picture', 'ms a frame'],
  ];
  const stills: string[][] = [];
  for (const finder of finders)
    for (const size of [VGA, HD])
      for (const effect of ['blur', 'box'] as const)
        stills.push([
          ...[finder, nameOf(size), effect],
          ...(await rowsOf({ finder, kind: 'stills', size, effect, turn: 0 }))[0]!,
        ]);
  for (const finder of [...finders, 'haar'] as const)
    stills.push([
      ...[`${finder}, one look`, nameOf(VGA), ''],
      ...(await rowsOf({ finder, kind: 'alone', size: VGA }))[0]!,
    ]);
  add('Real pictures that stand still, with hard cuts', stillHeader, stills);

  const turned: string[][] = [];
  for (const finder of finders) {
    for (const turn of [90, 180, 270] as const)
      turned.push([
        ...[finder, `turned by ${turn}`],
        ...(await rowsOf({ finder, kind: 'stills', size: VGA, effect: 'blur', turn }))[0]!,
      ]);
    const masks = { finder, size: VGA, effect: 'blur', turn: 0, only: 'mask' } as const;
    turned.push([finder, 'masks', ...(await rowsOf({ ...masks, kind: 'stills' }))[0]!]);
  }
  add(
    'The same, turned clockwise, and those with masks',
    ['finder', 'which', ...stillHeader.slice(3)],
    turned,
  );

  const films: string[][] = [];
  for (const finder of finders)
    for (const load of [false, true])
      for (const row of await rowsOf({ finder, kind: 'films', load }))
        films.push([finder, load ? 'two of three batches late' : 'none', ...row]);
  add(
    'Clips in `blur`',
    ['finder', 'load', 'clip', 'face-frames clear', 'a minute', 'ms a frame'],
    films,
  );

  const crowds: string[][] = [];
  for (const finder of finders)
    for (const effect of CROWD_EFFECTS) {
      const cells: string[] = [];
      for (const faces of CROWDS)
        cells.push((await rowsOf({ finder, kind: 'crowd', faces, effect }))[0]![0]!);
      crowds.push([finder, effect, ...cells]);
    }
  add(
    'CPU, ms a frame of 640x480, by number of faces',
    ['finder', 'effect', ...CROWDS.map(String)],
    crowds,
  );

  return [
    ...sections,
    'Per cent of faces by their height. Hiding: covered, 90 % of the points of the inner 42 % of a face are',
    'within what is drawn. Outlining: found, the middle within 0.55 sizes, 0.42 to 2.4 times as large.',
    'ms: user and system time of one process with one thread, search and effect together.',
  ].join('\n\n');
}

function nameOf({ width, height }: Size): string {
  return `${width}x${height}`;
}

async function rowsOf(task: Task): Promise<string[][]> {
  const script = new URL('./worker.js', import.meta.url).pathname;
  const worker = spawn(process.execPath, [script, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(worker, 'close');
  const output = await buffer(worker.stdout);
  const [code] = (await closed) as [number];
  if (code !== 0) throw new Error(`the worker for ${JSON.stringify(task)} ended with ${code}`);
  const rows = JSON.parse(output.toString()) as string[][];
  for (const row of rows) console.error([JSON.stringify(task), ...row].join(' | '));
  return rows;
}
