import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { quantile, table } from '../figures.js';
import { ensurePythonOpenCv, scorePython } from './opencv-python.js';
import { fetchPictures } from './pictures.js';
import type { Size } from './scenes.js';
import type { Score } from './score.js';
import type { Task } from './worker.js';

const VGA: Size = { width: 640, height: 480 };
const HD: Size = { width: 1280, height: 720 };

/** Rows in the order of the table; what is slow looks at each so many-th frame only. */
const TASKS: Task[] = [
  ...[VGA, HD].flatMap((size): Task[] => [
    { finder: 'blazeface', tracked: true, effect: 'box', size, every: 1 },
    { finder: 'blazeface', tracked: true, effect: 'blur', size, every: 1 },
    { finder: 'blazeface', tracked: false, effect: 'box', size, every: 5 },
    { finder: 'haar', tracked: true, effect: 'box', size, every: 1 },
    { finder: 'haar', tracked: false, effect: 'box', size, every: 10 },
  ]),
  { finder: 'ancestor', tracked: false, effect: 'box', size: VGA, every: 15 },
];

/**
 * How much work it is to find and mark faces, and how well that is done: each finder with what it knows
 * of the frames before and without, beside OpenCV's defaults, in Node and in Python.
 */
export async function benchFaces(): Promise<string> {
  fetchPictures();
  const rows: string[][] = [];
  for (const task of TASKS) rows.push(rowOf(nameOf(task), task.size, await scoresOf(task)));
  if (ensurePythonOpenCv())
    rows.push(rowOf("OpenCV's defaults, Python", VGA, await scorePython(VGA, 15)));
  const header = [
    'finder',
    'picture',
    'CPU ms a frame',
    'recall',
    'false finds a frame',
    'longest gap',
  ];
  return [
    table(header, rows),
    '',
    'CPU: user and system time of one process, one thread, median over the clips (the slowest clip).',
    'Recall: of frontal faces of 40 pixels and more. Gap: how long a face was not covered, in frames;',
    'only `blur` has to cover what is not surely a face. Without tracking, each frame is searched.',
  ].join('\n');
}

function nameOf({ finder, tracked, effect }: Task): string {
  if (finder === 'ancestor') return "OpenCV's defaults, Node";
  return `${finder}, ${tracked ? effect : 'each frame from scratch'}`;
}

function rowOf(name: string, { width, height }: Size, scores: Score[]): string[] {
  const sum = (key: 'found' | 'wanted' | 'wrong' | 'frames') =>
    scores.reduce((total, score) => total + score[key], 0);
  const cpu = scores.map(({ cpuMs, frames }) => cpuMs / frames);
  return [
    name,
    `${width}x${height}`,
    `${quantile(cpu, 0.5).toFixed(1)} (${Math.max(...cpu).toFixed(1)})`,
    `${((100 * sum('found')) / sum('wanted')).toFixed(1)} %`,
    (sum('wrong') / sum('frames')).toFixed(3),
    String(Math.max(...scores.map(({ gap }) => gap))),
  ];
}

async function scoresOf(task: Task): Promise<Score[]> {
  const script = new URL('./worker.js', import.meta.url).pathname;
  const worker = spawn(process.execPath, [script, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(worker, 'close');
  const output = await buffer(worker.stdout);
  const [code] = (await closed) as [number];
  if (code !== 0) throw new Error(`the worker for ${nameOf(task)} ended with ${code}`);
  return JSON.parse(output.toString()) as Score[];
}
