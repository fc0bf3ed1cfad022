import { readFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readFrameCounter } from '@facecast/shared/testing/frame-counter';
import { beforeAll, describe, expect, test } from 'vitest';
import * as clips from './support/clips.js';
import { stackAndClip } from './support/fixtures.js';
import { greenOutline, greenPlane, playFrames } from './support/played-frames.js';
import { processesOf, signal } from './support/processes.js';
import { sharpness } from './support/sharpness.js';
import { TestPublisher } from './support/test-publisher.js';

const SECONDS = 6;
const FRAMES = SECONDS * 30;
const SIZE = { width: clips.WIDTH, height: clips.HEIGHT };
/** Frames that are listed before the publisher changes the effect. */
const SHOWN_FIRST = 60;

/**
 * A frame that was hidden as a whole has few cells, and so less sharpness than this; a counted frame has
 * many edges.
 */
const HIDDEN_SHARPNESS = 0.5;

const live = stackAndClip(FRAMES);

/** A recorded session, and its resume token. */
interface Recorded {
  sessionId: string;
  resumeToken: string;
}

/** Publishes a clip with a recording: first in `box`, and from some frame on in `pixelate`. */
async function publishedClearAtFirst(path: string): Promise<Recorded> {
  const bytes = await readFile(path);
  const publisher = await TestPublisher.start(live.stack.ingestUrl, {
    ...{ mimeType: 'video/webm', effect: 'box', record: true },
  });
  const { sessionId, resumeToken } = publisher;
  const half = bytes.length / 2;
  await publisher.sendMedia(bytes.subarray(0, half), 4_096);
  await publisher.listed(SHOWN_FIRST);
  publisher.send({ type: 'effect', effect: 'pixelate' });
  await publisher.sendMedia(bytes.subarray(half), 4_096);
  await publisher.stop();
  return { sessionId, resumeToken };
}

const urlsOf = ({ sessionId }: Recorded) => [
  `${live.stack.url}/hls/${sessionId}/recording.m3u8`,
  `${live.stack.url}/hls/${sessionId}/recording.mp4`,
  `${live.stack.url}/api/sessions/${sessionId}/recording.mp4`,
  `${live.stack.url}/api/sessions/${sessionId}/faces`,
];

interface Status {
  state: string;
  seconds: number;
  clearSeconds: number;
  clear: { from: number; to: number }[];
}

const bearer = ({ resumeToken }: Recorded) => ({ authorization: `Bearer ${resumeToken}` });
const editsUrl = ({ sessionId }: Recorded) =>
  `${live.stack.url}/api/sessions/${sessionId}/recording/edits`;
const status = async (session: Recorded) =>
  (await (await fetch(editsUrl(session), { headers: bearer(session) })).json()) as Status;

async function order(session: Recorded, wanted: object): Promise<void> {
  const answer = await fetch(editsUrl(session), {
    method: 'POST',
    headers: { ...bearer(session), 'content-type': 'application/json' },
    body: JSON.stringify(wanted),
  });
  expect(answer.status).toBe(202);
}

async function isDone(session: Recorded): Promise<void> {
  await expect.poll(async () => (await status(session)).state).toBe('done');
}

/** Orders an edit of the recording; resolves when it is done. */
async function edit(session: Recorded, wanted: object): Promise<void> {
  await order(session, wanted);
  await isDone(session);
}

/** The number of frames, and the numbers of those that have a green outline. */
async function outlined(url: string): Promise<{ frames: number; outlined: number[] }> {
  const found: number[] = [];
  let n = 0;
  for await (const frame of playFrames(url, SIZE)) {
    if (greenOutline(frame)) found.push(n);
    n++;
  }
  return { frames: n, outlined: found };
}

/** The numbers of the frames in which faces were found. */
async function facesOf(url: string): Promise<number[]> {
  const lines = (await (await fetch(url)).text()).split('\n').filter((line) => line !== '');
  return lines.map((line) => (JSON.parse(line) as { frame: number }).frame);
}

/** A hash of all audio samples. */
async function soundOf(url: string): Promise<string> {
  const output = ['-map', '0:a', '-f', 'md5', '-'];
  return (await promisify(execFile)('ffmpeg', ['-v', 'error', '-i', url, ...output])).stdout;
}

describe('a recording that was begun in box and went on in pixelate', () => {
  let [face, counted, cut] = [{}, {}, {}] as [Recorded, Recorded, Recorded];

  beforeAll(async () => {
    const path = join(live.media, 'face.webm');
    await clips.soundingFaceClip(path, SECONDS);
    face = await publishedClearAtFirst(path);
    cut = await publishedClearAtFirst(path);
    counted = await publishedClearAtFirst(live.clip);
  });

  test('says which part of it shows faces', async () => {
    const { state, clear, seconds } = await status(face);
    expect([state, seconds]).toEqual(['none', SECONDS]);
    expect(clear).toEqual([{ from: 0, to: expect.any(Number) as number }]);
    const to = clear[0]?.to ?? NaN;
    expect(to).toBeGreaterThanOrEqual(SHOWN_FIRST / 30);
    const found = await outlined(urlsOf(face)[0] ?? '');
    expect(found.outlined.length).toBeGreaterThan(0);
    expect(found.outlined.at(-1)).toBeLessThan(to * 30);
  });

  test('has no outline left once its faces are hidden, but all frames and the same audio', async () => {
    const [playlist = '', , mp4 = ''] = urlsOf(face);
    const before = await soundOf(mp4);
    const facesBefore = await (await fetch(urlsOf(face)[3] ?? '')).text();
    await edit(face, { effect: 'pixelate' });
    for (const url of [playlist, mp4])
      expect(await outlined(url)).toEqual({ frames: FRAMES, outlined: [] });
    expect(await soundOf(mp4)).toBe(before);
    expect(await (await fetch(urlsOf(face)[3] ?? '')).text()).toBe(facesBefore);
    expect(await status(face)).toMatchObject({ state: 'done', clearSeconds: 0 });
  });

  test('has every frame once and in order, also if the segmenter that hid its faces was killed and another took over', async () => {
    await order(counted, { effect: 'black' });
    const attempts = async () => {
      const path = join(live.stack.dataDir, 'recordings', counted.sessionId, 'edit.json');
      return (JSON.parse(await readFile(path, 'utf8')) as { attempts: number }).attempts;
    };
    await expect.poll(attempts).toBe(1);
    signal(await processesOf(live.stack, 'services/segmenter'), 'SIGKILL');
    await isDone(counted);
    expect(await attempts()).toBe(2);
    for (const url of [urlsOf(counted)[0] ?? '', urlsOf(counted)[2] ?? '']) {
      let n = 0;
      for await (const frame of playFrames(url, SIZE)) {
        const plane = greenPlane(frame);
        // A busy machine cannot search all frames in time, and hides some as a whole.
        const isHidden = sharpness(plane) < HIDDEN_SHARPNESS;
        expect(isHidden ? n : readFrameCounter(plane, SIZE.width)).toBe(n);
        n++;
      }
      expect(n).toBe(FRAMES);
    }
  });

  test('gives out no frame of the clear part once that was cut off', async () => {
    const { clear } = await status(cut);
    const cutBefore = clear[0]?.to ?? NaN;
    const first = 30 * Math.ceil(cutBefore);
    const [playlist = '', media = '', mp4 = '', faces = ''] = urlsOf(cut);
    const before = await facesOf(faces);
    await edit(cut, { cutBefore });
    for (const url of [playlist, media, mp4])
      expect(await outlined(url)).toEqual({ frames: FRAMES - first, outlined: [] });
    const after = await facesOf(faces);
    expect(after).toEqual(before.filter((n) => n >= first).map((n) => n - first));
    for (const file of ['live.m3u8', '1.m4s', '1.0.m4s', 'init-0.mp4']) {
      const answer = await fetch(`${live.stack.url}/hls/${cut.sessionId}/${file}`);
      expect(answer.status).toBe(404);
    }
  });
});
