import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { publishOnPage } from '../sources/publish.js';
import { stackAndCamera } from '../support/fixtures.js';

const run = promisify(execFile);
const live = stackAndCamera();
const SAMPLE_RATE = 48_000;
const SECRET_SECONDS = 1.5;
/** A clip with a single key frame: red with 440 Hz, then green with 880 Hz. */
let whole: string;
let page: Page;

beforeAll(async () => {
  whole = join(live.media, 'whole.mp4');
  const colours = [`red:s=320x240:r=30:d=${SECRET_SECONDS}[r]`, 'green:s=320x240:r=30:d=3[g]'];
  const tones = [`440:r=${SAMPLE_RATE}:d=${SECRET_SECONDS}[low]`, `880:r=${SAMPLE_RATE}:d=3[high]`];
  const graph = [
    ...colours.map((colour) => `color=c=${colour}`),
    ...tones.map((tone) => `sine=${tone}`),
    ...['[r][g]concat[v]', '[low][high]concat=v=0:a=1[a]'],
  ].join(';');
  const encoding = [
    '-c:v',
    'libx264',
    '-g',
    '999',
    '-bf',
    '2',
    '-sc_threshold',
    '0',
    '-c:a',
    'aac',
  ];
  const output = ['-map', '[v]', '-map', '[a]', '-pix_fmt', 'yuv420p', ...encoding, whole];
  await run('ffmpeg', ['-v', 'error', '-filter_complex', graph, ...output]);
});

beforeEach(async () => {
  page = await live.browser.newPage();
});
afterEach(() => page.close());

/** The colours that viewers see, one letter a frame, and the pitch in Hz of each tenth of a second. */
async function published(path: string): Promise<{ colours: string; pitches: number[] }> {
  const url = `${live.stack.url}/hls/${await publishOnPage(live.stack, page, path)}/live.m3u8`;
  const raw = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-fps_mode', 'passthrough'];
  const pixels = await decoded(url, ['-map', '0:v:0', '-vf', 'scale=1:1', ...raw]);
  const pcm = await decoded(url, ['-map', '0:a:0', '-ac', '1', '-f', 's16le']);
  const samples = new Int16Array(pcm.buffer, pcm.byteOffset, pcm.length >> 1);
  const colours = Array.from({ length: pixels.length / 3 }, (_, n) =>
    (pixels[3 * n] ?? 0) > (pixels[3 * n + 1] ?? 0) ? 'r' : 'g',
  ).join('');
  return { colours, pitches: pitchesOf(samples) };
}

function pitchesOf(samples: Int16Array): number[] {
  const tenth = SAMPLE_RATE / 10;
  return Array.from({ length: Math.floor(samples.length / tenth) }, (_, n) => {
    const part = samples.subarray(n * tenth, (n + 1) * tenth);
    return 5 * part.filter((value, m) => m > 0 && value >= 0 !== (part[m - 1] ?? 0) >= 0).length;
  });
}

async function decoded(url: string, output: string[]): Promise<Buffer> {
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', url, ...output, '-'], {
    encoding: 'buffer',
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

test('a file whose front was cut away without re-encoding is published from the cut on', async () => {
  const file = join(live.media, 'front.mp4');
  await run('ffmpeg', ['-v', 'error', '-ss', `${SECRET_SECONDS}`, '-i', whole, '-c', 'copy', file]);
  const { colours, pitches } = await published(file);
  expect(colours).toMatch(/^g{88,92}$/);
  expect(pitches.length).toBeGreaterThan(28);
  // A packet that begins before the cut is dropped as a whole, so the first tenth is shorter.
  for (const pitch of pitches.slice(1, 28)) expect(Math.abs(pitch - 880)).toBeLessThan(30);
});

test('a file whose tail was cut away is published up to the cut', async () => {
  const mp4 = await readFile(whole);
  for (let at = 0; (at = mp4.indexOf('elst', at + 1)) >= 0;)
    mp4.writeUInt32BE(1000 * SECRET_SECONDS, at + 12);
  const file = join(live.media, 'tail.mp4');
  await writeFile(file, mp4);
  const { colours, pitches } = await published(file);
  expect(colours).toMatch(/^r{43,47}$/);
  for (const pitch of pitches.slice(1, 13)) expect(Math.abs(pitch - 440)).toBeLessThan(30);
});
