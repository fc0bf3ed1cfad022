import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { recordInBrowser, type RecordingRequest } from '../sources/browser-recording.js';
import { cameraOnPage } from '../sources/firefox-page.js';
import { publishRecording, publishSource, type Published } from '../sources/published-source.js';
import { sources } from '../sources/sources.js';
import { compare, complaints, type Verdict, type Wanted } from '../sources/verdict.js';
import { watchInFfmpeg, type Watched } from '../sources/watched.js';
import { watchInHlsJs } from '../sources/watched-in-browser.js';
import { launchChromium } from '../support/browser.js';
import { Firefox } from '../support/firefox.js';
import { HlsJsPage } from '../support/hls-js.js';
import { memory } from '../support/memory.js';
import { startStack } from '../support/stack.js';
import { table } from './tables.js';

/** Only sources with this in their names. */
const ONLY = process.env['SOURCES'] ?? '';
const SECONDS = 3;
const BY_CHROMIUM = [
  'video/webm;codecs=vp8,opus',
  'video/webm;codecs=vp9,opus',
  'video/webm;codecs=h264,opus',
  'video/mp4;codecs=avc1.42E01F,opus',
];
/** Without a sound device, its audio contexts stand still. */
const BY_FIREFOX = ['video/webm;codecs=vp8'];

const CAMERA = "a camera on Firefox's page";

interface Row {
  name: string;
  wanted: Wanted;
  publish: () => Promise<Published>;
}

/**
 * Every kind of recording, on every way, in every player: what is wrong with it, which the process's exit
 * code tells, too.
 */
export async function benchSources(): Promise<string> {
  const directory = await mkdtemp(join(memory, 'facecast-sources-'));
  const stack = await startStack();
  const browser = await launchChromium('/dev/null');
  const firefox = await Firefox.launch();
  const player = await HlsJsPage.open(browser);
  const recorded = (browserName: string, record: Record, mimeType: string): Row => ({
    name: `recorded by ${browserName}, ${mimeType}`,
    wanted: { width: 320, height: 240, hasSound: mimeType.includes('opus') },
    publish: async () => {
      const path = join(directory, 'recording');
      await writeFile(path, await record({ mimeType, seconds: SECONDS }), 'base64');
      return publishRecording(stack, path, mimeType);
    },
  });
  const inChromium: Record = async (request) => {
    const page = await browser.newPage();
    return page.evaluate(recordInBrowser, request).finally(() => page.close());
  };
  const inFirefox: Record = async (request) => {
    await firefox.goto(stack.url);
    return firefox.evaluate(recordInBrowser, request);
  };
  const all: Row[] = [
    ...sources.map((source) => ({
      name: `${source.way}, ${source.name}`,
      wanted: source,
      publish: () => publishSource(source, { stack, directory, browser }),
    })),
    ...BY_CHROMIUM.map((mimeType) => recorded('Chromium', inChromium, mimeType)),
    ...BY_FIREFOX.map((mimeType) => recorded('Firefox', inFirefox, mimeType)),
  ];
  try {
    const rows: string[][] = [];
    for (const { name, wanted, publish } of all.filter((row) => row.name.includes(ONLY))) {
      try {
        const { playlist, source } = await publish();
        const cells = [await watchInFfmpeg(playlist), await watchInHlsJs(player, playlist)].map(
          (played) => cell(source, played, wanted),
        );
        rows.push([name, ...cells]);
      } catch (error) {
        rows.push([name, `**${(error as Error).message.split('\n')[0]}**`, '']);
      }
      console.error(rows.at(-1)?.join(': '));
    }
    if (CAMERA.includes(ONLY)) rows.push([CAMERA, await cameraOnPage(firefox, stack), '']);
    if (rows.flat().some((words) => words.includes('**'))) process.exitCode = 1;
    return table(['source', 'ffmpeg', 'hls.js in Chromium'], rows);
  } finally {
    await player.close();
    await Promise.all([browser.close(), firefox.close()]);
    await stack.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

type Record = (request: RecordingRequest) => Promise<string>;

function cell(source: Watched, played: Watched, wanted: Wanted): string {
  const verdict = compare(source, played);
  const wrong = complaints(verdict, wanted);
  return wrong.length > 0 ? `**${wrong.join(', ')}**` : describe(verdict);
}

function describe({ width, height, frames, offMs, soundOffMs, endsEarlyMs }: Verdict): string {
  const early = endsEarlyMs > 1 ? ` to ${Math.round(endsEarlyMs)} ms before the end` : '';
  const sound =
    soundOffMs === undefined ? 'no sound' : `sound ±${Math.round(soundOffMs)} ms${early}`;
  return `${width}x${height}, ${frames} frames, ±${Math.round(offMs)} ms, ${sound}`;
}
