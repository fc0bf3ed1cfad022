import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLogger } from '@facecast/shared/runtime/logger';
import type { ProtectionChange } from '@facecast/shared/protocol/recording-folder';
import { samplesBefore } from '@facecast/shared/media/audio';
import { expect, test } from 'vitest';
import { PartEncoder } from '../encode/part-encoder.js';
import { CADENCE, renderedBatch } from '../testing/cadence.js';
import { numberedFrames, playNumbers, run, upTo } from '../testing/test-frames.js';
import { clicks } from '../testing/test-audio.js';
import {
  end,
  file,
  flashing,
  folder,
  publish,
  root,
  useRecordings,
} from '../testing/use-recordings.js';
import { hideFaces, type EncodedSegment } from './hide-faces.js';
import { RecordingFiles } from './recording-files.js';
import { RecordingReader } from './recording-reader.js';

useRecordings();

/** The number that the first picture shows which was rendered again. */
const AGAIN = 1_000;
const log = createLogger('test', 'silent');
const target = (name: string) => join(root, 'target', name);

/**
 * A renderer that shows other numbers, in other pictures of the same encoder.
 * @param loses how many parts of the stream it does not give back
 */
function rendererOf(samples: number, loses = 0) {
  return async function* (stream: AsyncIterable<Buffer>): AsyncGenerator<EncodedSegment> {
    let parts = -loses;
    for await (const part of stream) parts += part.length > 0 ? 1 : 0;
    const read = (batch: number) => Promise.resolve(clicks(batch * 3, 3));
    const audioSource = { read, readNew: read };
    const encoder = new PartEncoder({
      ...{ cadence: CADENCE, audioSource, log, onReplaced: () => {} },
    });
    let init: Buffer = Buffer.alloc(0);
    for (let from = 0; from < parts; from += 10) {
      const media: Buffer[] = [];
      for (let n = from; n < Math.min(from + 10, parts); n++) {
        const pictures = numberedFrames(AGAIN + n * 3, 3);
        const encoded = await encoder.encode(renderedBatch(n, { samples }), pictures);
        init = encoded.init ?? init;
        media.push(encoded.content);
      }
      yield { init, media: Buffer.concat(media) };
    }
    await encoder.close();
  };
}

async function hide(changes: ProtectionChange[], render = rendererOf(0)) {
  await writeFile(file('protection.json'), JSON.stringify(changes));
  const source = await RecordingReader.open(folder, CADENCE, new AbortController().signal);
  const files = await RecordingFiles.begin(join(root, 'target'), CADENCE, {
    ...{ createdAt: 0, resumeTokenHash: 'hash' },
  });
  try {
    await hideFaces(source, files, 'black', render);
    await files.finish();
  } finally {
    await source.close();
  }
}

const change = (fromFrame: number, effect: ProtectionChange['effect']): ProtectionChange => ({
  ...{ fromFrame, effect, hidden: false },
});
const numbered = (from: number, to: number) => upTo(to).slice(from);
const again = (count: number) => upTo(count).map((n) => AGAIN + n);
const playBoth = async () => [
  await playNumbers(target('recording.mp4')),
  await playNumbers(target('recording.m3u8')),
];
const protection = async () =>
  JSON.parse(await readFile(target('protection.json'), 'utf8')) as unknown;

test('all segments with a frame that may be clear are rendered again, and the others are copied', async () => {
  await publish(45);
  await end();
  await hide([change(0, 'box'), change(33, 'blur'), change(90, 'none'), change(93, 'pixelate')]);
  const expected = [...again(60), ...numbered(60, 90), ...again(30), ...numbered(120, 135)];
  expect(await playBoth()).toEqual([expected, expected]);
  expect(await protection()).toEqual([
    change(0, 'black'),
    change(60, 'blur'),
    change(90, 'black'),
    change(120, 'pixelate'),
  ]);
});

test('without any record of its protection is rendered again as a whole', async () => {
  await publish(35);
  await end();
  await hide([]);
  expect(await playBoth()).toEqual([again(105), again(105)]);
  expect(await protection()).toEqual([change(0, 'black')]);
});

test('what is hidden already stays as it is', async () => {
  await publish(12);
  await end();
  await hide([change(0, 'blur')]);
  expect(
    (await readFile(target('recording.mp4'))).equals(await readFile(file('recording.mp4'))),
  ).toBe(true);
});

test('the sound stays as it is, sample for sample', async () => {
  await publish(32, flashing);
  await end();
  await hide([change(0, 'box'), change(31, 'blur')], rendererOf(samplesBefore(3, 30)));
  const soundOf = (path: string) =>
    run('ffmpeg', ['-v', 'error', '-i', path, '-map', '0:a', '-f', 's16le', 'pipe:1']);
  for (const name of ['recording.mp4', 'recording.m3u8']) {
    const [before, after] = [await soundOf(file(name)), await soundOf(target(name))];
    expect(before.length).toBeGreaterThan(0);
    expect(after.equals(before)).toBe(true);
  }
});

test.each([1, 15])('it fails if %d parts do not come back', async (loses) => {
  await publish(35);
  await end();
  const hiding = hide([change(0, 'box'), change(60, 'blur')], rendererOf(0, loses));
  await expect(hiding).rejects.toThrow(/frames/);
});
