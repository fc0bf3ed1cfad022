import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from 'vitest';
import { inputOf } from './input.mjs';
import { startMedia } from './media.mjs';

const directory = mkdtempSync(join(tmpdir(), 'facecast-pictures-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** @type {(name: string, source: string, ...encoding: string[]) => string} */
function made(name, source, ...encoding) {
  const file = join(directory, name);
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', source, ...encoding, file]);
  return file;
}

/** What is sent of a file: its size, and the pixels of its first picture. @type {(file: string) => Promise<any>} */
async function firstSent(file) {
  const media = await startMedia(await inputOf(file), { loop: false });
  const sent = join(directory, 'sent.mkv');
  writeFileSync(sent, await buffer(media.bytes));
  expect(await media.failure).toBe('');
  const shape = ['-v', 'error', '-of', 'csv=p=0', '-show_entries', 'stream=width,height'];
  const size = execFileSync('ffprobe', [...shape, sent])
    .toString()
    .trim();
  const [width = 0, height = 0] = size.split(',').map(Number);
  const raw = ['-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'];
  const pixels = execFileSync('ffmpeg', ['-v', 'error', '-i', sent, ...raw]);
  /** @type {(x: number, y: number) => number[]} of the picture's width and height */
  const at = (x, y) => {
    const n = 3 * (Math.floor(y * height) * width + Math.floor(x * width));
    return [...pixels.subarray(n, n + 3)];
  };
  return { sent, width, height, at };
}

describe('a picture that players are told to turn or to mirror is sent as they show it:', () => {
  const QUARTERS = [
    'color=c=black:s=64x48:r=30:d=0.2',
    'drawbox=c=red:t=fill:w=32:h=24',
    'drawbox=c=lime:t=fill:x=32:w=32:h=24',
    'drawbox=c=blue:t=fill:y=24:w=32:h=24',
  ].join(',');
  const COLOURS = /** @type {const} */ ([
    [-1, -1, 'red'],
    [1, -1, 'green'],
    [-1, 1, 'blue'],
    [1, 1, 'black'],
  ]);
  /** @param {number[]} rgb */
  const named = ([red = 0, green = 0, blue = 0]) =>
    Math.max(red, green, blue) < 60
      ? 'black'
      : { [red]: 'red', [green]: 'green', [blue]: 'blue' }[Math.max(red, green, blue)];

  test.each([
    ['as it is', 1, 0, 0, 1],
    ['turned to the right', 0, 1, -1, 0],
    ['upside down', -1, 0, 0, -1],
    ['turned to the left', 0, -1, 1, 0],
    ['mirrored', -1, 0, 0, 1],
    ['mirrored, top to bottom', 1, 0, 0, -1],
    ['mirrored, and turned to the left', 0, 1, 1, 0],
    ['mirrored, and turned to the right', 0, -1, -1, 0],
  ])('%s', async (_, a, b, c, d) => {
    const file = made('turned.mp4', QUARTERS, '-c:v', 'libx264', '-pix_fmt', 'yuv420p');
    const mp4 = readFileSync(file);
    // ISO/IEC 14496-12, section 8.3.2.
    [a, b, 0, c, d].forEach((value, n) =>
      mp4.writeInt32BE(value * 0x10000, mp4.indexOf('tkhd') + 44 + 4 * n),
    );
    writeFileSync(file, mp4);
    const { width, height, at } = await firstSent(file);
    expect([width, height]).toEqual(b === 0 ? [64, 48] : [48, 64]);
    for (const [x, y, colour] of COLOURS)
      expect(named(at((2 + a * x + c * y) / 4, (2 + b * x + d * y) / 4))).toBe(colour);
  });
});

test('pixels that are no squares become squares', async () => {
  const source = 'testsrc2=s=72x58:r=25:d=0.2,setsar=16/11';
  const { width, height } = await firstSent(made('wide.avi', source, '-c:v', 'mpeg4'));
  expect([width, height]).toEqual([104, 58]);
});

test('what is interlaced is sent without combs', async () => {
  const bar =
    "color=black:s=320x240:r=50:d=1,geq=lum='if(lt(mod(X-8*N,160),40),235,16)':cb=128:cr=128";
  const codec = ['-c:v', 'mpeg2video', '-b:v', '4M', '-flags', '+ilme+ildct', '-top', '1'];
  const file = made('fields.mpg', `${bar},tinterlace=interleave_top,fieldorder=tff`, ...codec);
  const { sent } = await firstSent(file);
  /** @param {string} path */
  const combed = (path) => {
    const args = ['-hide_banner', '-i', path, '-vf', 'idet', '-f', 'null', '-'];
    const { stderr } = spawnSync('ffmpeg', args, { encoding: 'utf8' });
    return Number(/Multi frame detection: TFF: *(\d+)/.exec(stderr)?.[1]);
  };
  expect(combed(file)).toBeGreaterThan(15);
  expect(combed(sent)).toBe(0);
});

test.each([
  ['PQ', 'smpte2084', [0, 34, 72, 127, 187, 229, 255]],
  ['HLG', 'arib-std-b67', [0, 46, 72, 98, 120, 150, 254]],
])('the greys of HDR (%s) are sent as Chromium shows them', async (_, transfer, shown) => {
  const codes = [64, 300, 400, 500, 573, 650, 940];
  const steps = codes.map((code, n) => `if(lt(X,${32 * (n + 1)}),${code},`).join('');
  const luma = `${steps}0${')'.repeat(codes.length)}`;
  const source = `color=s=${32 * codes.length}x64:r=30:d=0.2,format=yuv420p10le,geq=lum='${luma}':cb=512:cr=512`;
  const colours = ['-color_primaries', 'bt2020', '-color_trc', transfer, '-colorspace', 'bt2020nc'];
  const x265 = ['-c:v', 'libx265', '-x265-params', 'log-level=error', '-crf', '10'];
  const { at } = await firstSent(made('hdr.mp4', source, ...x265, ...colours));
  const greys = codes.map((_, n) => at((n + 0.5) / codes.length, 0.5)[1] ?? NaN);
  expect(Math.max(...greys.map((grey, n) => Math.abs(grey - (shown[n] ?? NaN))))).toBeLessThan(10);
});
