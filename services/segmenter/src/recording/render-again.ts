import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HLS_FILES } from '@facecast/shared/protocol/hls-folder';
import type { HidingEffect } from '@facecast/shared/protocol/ingest-protocol';
import type { NamedChunk } from '@facecast/shared/protocol/messages';
import { chunkJobId, JobQueue } from '@facecast/shared/redis/queues';
import type { Redis } from '@facecast/shared/redis/redis';
import type { SessionRegistry } from '@facecast/shared/redis/session-registry';
import type { Cadence } from '@facecast/shared/runtime/settings';
import { readIfThere } from '../atomic-files.js';
import { FIRST_MSN, parsePlaylist } from '../hls/media-playlist.js';
import type { EncodedSegment } from './hide-faces.js';

/** Maximum number of parts waiting in Redis, because they are clear pictures. */
const MAX_WAITING_JOBS = 10;
/** Time between two looks at the queue and the playlist, in milliseconds. */
const LOOK_MS = 250;
/** The stream is given up after this time without a new segment, in milliseconds. */
const MAX_STALL_MS = 60_000;
/** How long the session outlives a publisher that is killed, in seconds. */
const PUBLISHER_SECONDS = 15;

export interface RenderDeps {
  redis: Redis;
  registry: SessionRegistry;
  hlsDir: string;
  cadence: Cadence;
  /** Aborted when the rendering is not wanted any more. */
  signal: AbortSignal;
}

/**
 * Publishes a stream, as a file is published, in a private session that nobody has a link to, and yields
 * the segments of its live playlist. Like all streams it is clear only in memory. Frames are decoded ahead
 * of their time, which leaves more time to search them; late ones are hidden as a whole.
 * @param stream fragmented MP4, a part at a time
 */
export async function* renderAgain(
  stream: AsyncIterable<Buffer>,
  effect: HidingEffect,
  deps: RenderDeps,
): AsyncGenerator<EncodedSegment> {
  const { registry, hlsDir } = deps;
  const wanted = { mimeType: 'video/mp4', effect, visibility: 'private' } as const;
  const { session } = await registry.create(wanted, Number.MAX_SAFE_INTEGER);
  const stopped = new AbortController();
  const signal = AbortSignal.any([deps.signal, stopped.signal]);
  const publishing = publish(session.id, stream, { ...deps, signal });
  // It is awaited below; until then a rejection must be handled.
  publishing.catch(() => stopped.abort());
  try {
    yield* listed(join(hlsDir, session.id), { ...deps, signal });
    await publishing;
    await hasEnded(session.id, deps);
    await rm(join(hlsDir, session.id), { recursive: true, force: true });
  } finally {
    // The janitor removes the rest of a broken-off session.
    stopped.abort();
    await publishing.catch(() => {});
  }
}

async function hasEnded(sessionId: string, { registry, signal }: RenderDeps): Promise<void> {
  const giveUpAt = performance.now() + MAX_STALL_MS;
  while (!signal.aborted && performance.now() < giveUpAt && (await registry.get(sessionId)))
    await delay(LOOK_MS);
}

/** Publishes all of a stream, then its end; the end alone once `signal` is aborted. */
async function publish(
  sessionId: string,
  stream: AsyncIterable<Buffer>,
  { redis, registry, signal }: RenderDeps,
): Promise<void> {
  const [decode, segment, queue] = [
    new JobQueue(redis, { kind: 'decode' }),
    new JobQueue(redis, { kind: 'segment' }),
    new JobQueue<'chunks'>(redis, { kind: 'chunks', sessionId }),
  ];
  const isHere = () => registry.publisherSeen(sessionId, PUBLISHER_SECONDS);
  try {
    await isHere();
    await decode.add({ sessionId }, { jobId: sessionId });
    await segment.add({ sessionId }, { jobId: sessionId });
    let n = 0;
    for await (const part of stream) {
      await isHere();
      while (!signal.aborted && (await queue.waiting()) >= MAX_WAITING_JOBS) {
        await isHere();
        await delay(LOOK_MS);
      }
      if (signal.aborted) break;
      const chunk: NamedChunk = { kind: 'chunk', n, receivedAt: Date.now() };
      if ((await registry.storeChunks(sessionId, 0, [chunk], [part])) !== 'stored')
        throw new Error('the rendering has ended early');
      await queue.add(chunk, { jobId: chunkJobId(n++) });
    }
  } finally {
    if (await registry.get(sessionId)) await queue.add({ kind: 'end' }, { jobId: 'end' });
    await Promise.all([decode.close(), segment.close(), queue.close()]);
  }
}

/** The segments of a live playlist, from its first to its end. */
async function* listed(
  folder: string,
  { cadence, signal }: RenderDeps,
): AsyncGenerator<EncodedSegment> {
  const read = async (name: string) => {
    const content = await readIfThere(join(folder, name));
    if (!content) throw new Error('a rendered segment is gone');
    return content;
  };
  let next = FIRST_MSN;
  let newAt = performance.now();
  for (;;) {
    if (signal.aborted) throw new Error('the rendering was broken off');
    if (performance.now() - newAt > MAX_STALL_MS) throw new Error('the rendering stands still');
    const text = await readIfThere(join(folder, HLS_FILES.playlist));
    const playlist = text && parsePlaylist(text.toString(), cadence);
    const complete = (playlist?.segments ?? []).filter(({ complete }) => complete);
    for (const { uri, init, msn } of complete.filter(({ msn }) => msn >= next)) {
      if (msn > next) throw new Error('a rendered segment is gone');
      yield { init: await read(init), media: await read(uri) };
      next++;
      newAt = performance.now();
    }
    if (playlist?.ended) return;
    await delay(LOOK_MS);
  }
}
