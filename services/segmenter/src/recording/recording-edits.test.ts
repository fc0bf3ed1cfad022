import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLogger } from '@facecast/shared/runtime/logger';
import type { RecordingEdit, WantedEdit } from '@facecast/shared/protocol/recording-folder';
import { connectRedis, type Redis } from '@facecast/shared/redis/redis';
import { SessionRegistry } from '@facecast/shared/redis/session-registry';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CADENCE, CAPTURED_AT } from '../testing/cadence.js';
import { playNumbers, upTo } from '../testing/test-frames.js';
import { play } from '../testing/test-audio.js';
import {
  SESSION,
  end,
  everyThird,
  facesOf,
  file,
  flashing,
  folder,
  live,
  playBoth,
  playlist,
  publish,
  root,
  useRecordings,
} from '../testing/use-recordings.js';
import { MAX_ATTEMPTS, RecordingEdits } from './recording-edits.js';

useRecordings();

const log = createLogger('test', 'silent');
const FOREVER = new AbortController().signal;
let redis: Redis;
let registry: SessionRegistry;
let edits: RecordingEdits;

/** Replicas that edit recordings. */
const replica = () =>
  new RecordingEdits({
    ...{ redis, registry, cadence: CADENCE, minFreeBytes: 0, log },
    recordingsDir: join(root, 'recordings'),
    hlsDir: join(root, 'hls'),
  });

beforeEach(async () => {
  redis = connectRedis(redisUrl, 'worker', log);
  await redis.flushall();
  registry = new SessionRegistry(redis);
  edits = replica();
});
afterEach(async () => {
  await edits.close();
  redis.disconnect();
});

const EDIT: RecordingEdit = {
  ...{ id: 'the-edit', wanted: { cutBefore: 1 }, state: 'pending', attempts: 0 },
};

/** What the gateway leaves in a recording's folder. */
async function order(wanted: WantedEdit, more: Partial<RecordingEdit> = {}) {
  await writeFile(file('edit.json'), JSON.stringify({ ...EDIT, wanted, ...more }));
}
const state = async () =>
  (JSON.parse(await readFile(file('edit.json'), 'utf8')) as RecordingEdit).state;
const from = (first: number, frames: number) => upTo(frames).slice(first);

/** A recording of 105 numbered frames, a segment of 30 each. */
async function recorded() {
  await publish(35);
  await end();
}

/** Cut before its second segment. */
async function expectCutOnce() {
  expect(await state()).toBe('done');
  expect(await playBoth()).toEqual([from(30, 105), from(30, 105)]);
  expect(await facesOf()).toEqual(everyThird(75));
  expect((await readdir(folder)).filter((name) => /edit(ed|ing)-/.test(name))).toEqual([]);
}

describe('a recording that is cut', () => {
  test.each([
    [0.5, 30],
    [1, 30],
    [1.001, 60],
  ])('before %d s has the frames and faces from number %d on, as HLS and as MP4', async (at, n) => {
    await recorded();
    await order({ cutBefore: at });
    await edits.edit(SESSION.id, FOREVER);
    expect(await state()).toBe('done');
    expect(await playBoth()).toEqual([from(n, 105), from(n, 105)]);
    expect(await facesOf()).toEqual(everyThird(105 - n));
    const { segments, endlist } = await playlist();
    expect(segments[0]?.programDateTime?.getTime()).toBe(CAPTURED_AT + (n / 30) * 1000);
    expect(endlist).toBe(true);
  });

  test('says of its faces when they are seen, from the cut on', async () => {
    await recorded();
    await order({ cutBefore: 1 });
    await edits.edit(SESSION.id, FOREVER);
    const lines = (await readFile(file('faces.ndjson'), 'utf8')).trimEnd().split('\n');
    expect(JSON.parse(lines[10] ?? '')).toMatchObject({ frame: 30, t: 1, faces: [{ x: 10 }] });
  });

  test('is heard when it is seen', async () => {
    await publish(32, flashing);
    await end();
    await order({ cutBefore: 1 });
    await edits.edit(SESSION.id, FOREVER);
    for (const name of ['recording.mp4', 'recording.m3u8']) {
      const played = await play(file(name));
      expect(played.flashes.map(Math.round)).toEqual([0, 1, 2]);
      played.clicks.slice(-2).forEach((at, n) => expect(Math.abs(at - n - 1)).toBeLessThan(0.02));
    }
  });

  test('can be cut again, from where it begins by then', async () => {
    await recorded();
    for (const id of ['first', 'second']) {
      await order({ cutBefore: 1 }, { id });
      await edits.edit(SESSION.id, FOREVER);
    }
    expect(await playNumbers(file('recording.mp4'))).toEqual(from(60, 105));
    expect(await facesOf()).toEqual(everyThird(45));
  });

  test('leaves nothing of the live playlist, which may have the same frames', async () => {
    await recorded();
    await mkdir(live);
    await writeFile(join(live, '1.m4s'), 'the first second');
    await order({ cutBefore: 1 });
    await edits.edit(SESSION.id, FOREVER);
    expect(await readdir(join(root, 'hls'))).toEqual([]);
  });
});

describe('an edit', () => {
  test('is taken up by whoever sweeps, once the session has ended', async () => {
    await recorded();
    const running = { ...SESSION, mimeType: 'video/webm', effect: 'box', state: 'live' } as const;
    await registry.register({ ...running, hidden: false, chunks: 0, connection: 0 }, 10);
    await order({ cutBefore: 1 });
    await edits.edit(SESSION.id, FOREVER);
    expect(await playNumbers(file('recording.mp4'))).toEqual(upTo(105));
    expect(await state()).toBe('pending');
    await registry.remove(SESSION.id);
    await edits.sweep();
    await expect.poll(state).toBe('done');
    await expectCutOnce();
  });

  test('whose segmenter was killed before it was whole begins again', async () => {
    await recorded();
    await mkdir(file('editing-by-the-dead'));
    await writeFile(join(file('editing-by-the-dead'), 'recording.mp4'), 'half of it');
    await order({ cutBefore: 1 }, { attempts: 1 });
    await edits.edit(SESSION.id, FOREVER);
    await expectCutOnce();
  });

  const moved = ['faces.ndjson', 'recording.m3u8', 'recording.mp4', 'recording.json', 'edit.json'];
  test.each([0, 1, 2, 3, 4])(
    'whose segmenter was killed when %d files of the outcome were in place goes on there',
    async (count) => {
      await recorded();
      await order({ cutBefore: 1 });
      const before = join(root, 'before');
      await cp(folder, before, { recursive: true });
      await edits.edit(SESSION.id, FOREVER);
      const outcome = join(before, 'edited-the-edit');
      await mkdir(outcome);
      for (const [n, name] of moved.entries())
        await cp(file(name), join(n < count ? before : outcome, name));
      await rm(folder, { recursive: true });
      await rename(before, folder);
      expect(await state()).toBe('pending');
      await edits.edit(SESSION.id, FOREVER);
      await expectCutOnce();
    },
  );

  test('is not done before all files of the outcome are in place', async () => {
    await recorded();
    await order({ cutBefore: 1 });
    const outcome = file('edited-the-edit');
    await cp(folder, join(root, 'outcome'), { recursive: true });
    await rename(join(root, 'outcome'), outcome);
    await writeFile(join(outcome, 'edit.json'), JSON.stringify({ ...EDIT, state: 'done' }));
    // No file can take its place.
    await rm(file('recording.mp4'));
    await mkdir(join(file('recording.mp4'), 'in-the-way'), { recursive: true });
    await edits.edit(SESSION.id, FOREVER);
    expect(await state()).toBe('pending');
  });

  test('that is done is not done again, whoever is asked', async () => {
    await recorded();
    await order({ cutBefore: 1 });
    await edits.edit(SESSION.id, FOREVER);
    await edits.edit(SESSION.id, FOREVER);
    // As somebody leaves it who took this one for dead.
    await order({ cutBefore: 1 });
    await edits.edit(SESSION.id, FOREVER);
    await expectCutOnce();
  });

  test('that two replicas carry out at once is done once', async () => {
    await recorded();
    await order({ cutBefore: 1 });
    const other = replica();
    try {
      await Promise.all([edits, other].map((each) => each.edit(SESSION.id, FOREVER)));
      await edits.edit(SESSION.id, FOREVER);
      await expectCutOnce();
    } finally {
      await other.close();
    }
  });

  test('that is broken off leaves the recording as it was, to be begun again', async () => {
    await recorded();
    await order({ cutBefore: 1 });
    await edits.edit(SESSION.id, AbortSignal.abort());
    expect(await state()).toBe('pending');
    expect(await playNumbers(file('recording.mp4'))).toEqual(upTo(105));
    await edits.edit(SESSION.id, FOREVER);
    await expectCutOnce();
  });

  test('that fails each time is given up, and the recording is as it was', async () => {
    await recorded();
    await order({ cutBefore: 9 });
    for (let attempt = 1; attempt < MAX_ATTEMPTS; attempt++) {
      await edits.edit(SESSION.id, FOREVER);
      expect(await state()).toBe('pending');
    }
    await edits.edit(SESSION.id, FOREVER);
    expect(await state()).toBe('failed');
    expect(await playNumbers(file('recording.mp4'))).toEqual(upTo(105));
  });

  test('of which segmenters die is given up', async () => {
    await recorded();
    await order({ cutBefore: 1 }, { attempts: MAX_ATTEMPTS });
    await edits.edit(SESSION.id, FOREVER);
    expect(await state()).toBe('failed');
  });
});
