import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { newPage } from '../support/browser.js';
import type { Stack } from '../support/stack.js';
import { encoded, joined, markedClip, turn } from './marked-clip.js';
import { ingest, publishOnPage, push } from './publish.js';
import type { Source } from './sources.js';
import { watchInFfmpeg, type Watched } from './watched.js';

/** A source that was published to its end. */
export interface Published {
  playlist: string;
  /** The source, as ffmpeg plays it. */
  source: Watched;
}

const TYPES = {
  webm: 'video/webm',
  mkv: 'video/x-matroska',
  mp4: 'video/mp4',
} as const satisfies Partial<Record<Source['extension'], string>>;

/** Makes a source in `directory` and publishes it. */
export async function publishSource(
  source: Source,
  where: { stack: Stack; directory: string; browser: Browser },
): Promise<Published> {
  const { stack, directory, browser } = where;
  const path = join(directory, `file.${source.extension}`);
  await make(source, directory, path);
  const ways: Record<Source['way'], () => Promise<string>> = {
    ingest: () => ingest(stack, path, mimeTypeOf(source)),
    push: () => push(stack, path),
    page: async () => {
      const page = await newPage(browser);
      return publishOnPage(stack, page, path).finally(() => page.close());
    },
  };
  const published = await watchedAfter(stack, path, await ways[source.way]());
  await rm(path);
  return published;
}

async function make(source: Source, directory: string, path: string): Promise<void> {
  const { marks, encoding, sizes, isTurned } = source;
  const clip = join(directory, 'clip.nut');
  if (sizes) return makeOfSizes(source, sizes, directory, path);
  await markedClip(clip, marks);
  await encoded(clip, path, encoding);
  if (isTurned) await turn(path);
}

async function makeOfSizes(
  { marks, encoding }: Source,
  sizes: NonNullable<Source['sizes']>,
  directory: string,
  path: string,
): Promise<void> {
  const [clip, list] = [join(directory, 'clip.nut'), join(directory, 'list.txt')];
  for (const [n, size] of sizes.entries()) {
    await markedClip(clip, { ...marks, ...size, first: n * marks.fps * marks.seconds });
    await encoded(clip, join(directory, `${n}.webm`), encoding);
  }
  await writeFile(list, sizes.map((_, n) => `file ${n}.webm\n`).join(''));
  await joined(list, path);
}

/** Publishes an input stream as it is. */
export async function publishRecording(
  stack: Stack,
  path: string,
  mimeType: string,
): Promise<Published> {
  return watchedAfter(stack, path, await ingest(stack, path, mimeType));
}

async function watchedAfter(stack: Stack, path: string, sessionId: string): Promise<Published> {
  return {
    playlist: `${stack.url}/hls/${sessionId}/live.m3u8`,
    source: await watchInFfmpeg(path),
  };
}

function mimeTypeOf({ extension, name }: Source): string {
  if (extension in TYPES) return TYPES[extension as keyof typeof TYPES];
  throw new Error(`${name} is no recording that a browser would send`);
}
