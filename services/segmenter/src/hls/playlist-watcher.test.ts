import { EventEmitter, once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@facecast/shared/runtime/logger';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PlaylistWatcher } from './playlist-watcher.js';
import { writeWholeNow } from '../atomic-files.js';

let root: string;
let watcher: PlaylistWatcher;
let announced: string[];
const news = new EventEmitter();

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'facecast-announce-'));
  announced = [];
  watcher = new PlaylistWatcher(root, createLogger('test', 'fatal'), (sessionId) => {
    announced.push(sessionId);
    news.emit(sessionId);
  });
});

afterEach(async () => {
  await watcher.close();
  await rm(root, { recursive: true });
});

async function begin(sessionId: string) {
  await mkdir(join(root, sessionId));
  watcher.watch(sessionId);
}

const writePlaylist = async (sessionId: string) =>
  writeWholeNow(join(root, sessionId, 'live.m3u8'), '#EXTM3U\n');

/** Writes parts one after another, as a live stream does, until its playlist is reported. */
async function stream(sessionId: string) {
  let isTold = false;
  void once(news, sessionId).then(() => (isTold = true));
  for (let part = 0; !isTold; part++) {
    await writeFile(join(root, sessionId, `0.${part}.m4s`), 'part');
    await writePlaylist(sessionId);
  }
}

describe('the watcher of the HLS volume', () => {
  test('reports a playlist once, when it appears', async () => {
    await begin('a');
    await stream('a');
    await writePlaylist('a');
    await begin('b');
    await stream('b');
    expect(announced).toEqual(['a', 'b']);
  });

  test('reports a playlist that exists already', async () => {
    await mkdir(join(root, 'a'));
    await writePlaylist('a');
    const told = once(news, 'a');
    watcher.watch('a');
    await told;
  });

  test('stops watching when the playlist was reported', async () => {
    await begin('a');
    await begin('b');
    await stream('a');
    expect(watcher.size).toBe(1);
    expect(watcher.unwatch('b')).toBe(true);
    expect(watcher.size).toBe(0);
  });

  test('reports nothing of sessions of other replicas', async () => {
    await mkdir(join(root, 'theirs'));
    await begin('ours');
    await writePlaylist('theirs');
    await stream('ours');
    expect(announced).toEqual(['ours']);
  });
});
