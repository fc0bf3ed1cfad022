import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SessionRegistry } from '@facecast/shared/redis/session-registry';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { testGateway, type TestGateway } from '../testing/test-gateway.js';
import { IngestClient } from '../testing/ingest-client.js';
import { statsOf } from '../testing/test-stats.js';

const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
const registry = new SessionRegistry(redis);
const MEDIA = Buffer.from('what a segmenter wrote');
const LINE = '{"frame":7,"t":0.2333,"faces":[]}\n';
let gateway: TestGateway;
let sessionId: string;
let resumeToken: string;

beforeEach(async () => {
  await redis.flushall();
  gateway = await testGateway(redisUrl);
  const created = await registry.create(
    { mimeType: 'video/webm', effect: 'box', record: true },
    10,
  );
  sessionId = created.session.id;
  resumeToken = created.resumeToken;
  const { resumeTokenHash } = created.session;
  const createdAt = Date.parse('2026-03-01T12:00:59Z');
  const folder = join(gateway.recordingsDir, sessionId);
  await mkdir(folder, { recursive: true });
  const write = (name: string, content: string | Buffer) => writeFile(join(folder, name), content);
  await write('recording.mp4', MEDIA);
  await write('recording.m3u8', '#EXTM3U\n#EXTINF:1.0,\nrecording.mp4\n#EXTIN');
  await write('faces.ndjson', LINE);
  await write('recording.json', JSON.stringify({ createdAt, resumeTokenHash }));
  const last = statsOf(sessionId, { state: 'ended', recording: 'on' });
  await write('session.json', JSON.stringify(last));
});

afterEach(() => gateway.close());
afterAll(() => redis.quit());

const hls = (file: string, init?: RequestInit) =>
  fetch(`${gateway.url}/hls/${sessionId}/${file}`, init);
const api = (path: string, init?: RequestInit) =>
  fetch(`${gateway.url}/api/sessions/${sessionId}${path}`, init);
const remove = (token?: string) =>
  api('/recording', {
    method: 'DELETE',
    ...(token && { headers: { authorization: `Bearer ${token}` } }),
  });

/** The status and the code of a refusal, which is JSON. */
async function refusal(answer: Promise<Response>): Promise<[number, string]> {
  const response = await answer;
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  expect(error.message).toMatch(/\w+ .*\.$/);
  return [response.status, error.code];
}

describe('a recording', () => {
  test('is downloaded whole, under a name that says when it was', async () => {
    const answer = await api('/recording.mp4');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('video/mp4');
    const name = 'attachment; filename="facecast-2026-03-01-1200.mp4"';
    expect(answer.headers.get('content-disposition')).toBe(name);
    expect(answer.headers.get('cache-control')).toBe('private, no-cache');
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(MEDIA);
  });

  test('can be sought in: ranges are answered, and refused where there is nothing', async () => {
    for (const media of [
      await api('/recording.mp4', { headers: { range: 'bytes=5-6' } }),
      await hls('recording.mp4', { headers: { range: 'bytes=5-6' } }),
    ]) {
      expect(media.status).toBe(206);
      expect(media.headers.get('content-range')).toBe(`bytes 5-6/${MEDIA.length}`);
      expect(await media.text()).toBe('a ');
    }
    const beyond = { headers: { range: 'bytes=999-' } };
    expect(await refusal(api('/recording.mp4', beyond))).toEqual([416, 'range_not_satisfiable']);
    expect(await refusal(hls('recording.mp4', beyond))).toEqual([416, 'range_not_satisfiable']);
  });

  test('is a playlist of whole lines, for players on any page', async () => {
    const answer = await hls('recording.m3u8');
    expect(answer.headers.get('content-type')).toBe('application/vnd.apple.mpegurl');
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(await answer.text()).toBe('#EXTM3U\n#EXTINF:1.0,\nrecording.mp4\n');
  });

  test('has stats and faces when nothing of the live session is left', async () => {
    await registry.remove(sessionId);
    expect(await (await api('')).json()).toMatchObject({ state: 'ended', recording: 'on' });
    expect(await (await api('/faces')).text()).toBe(LINE);
  });

  test('that was deleted is said to be none, though the live playlist is still there', async () => {
    await registry.remove(sessionId);
    await mkdir(join(gateway.hlsDir, sessionId));
    const last = statsOf(sessionId, { state: 'ended', recording: 'on' });
    await writeFile(join(gateway.hlsDir, sessionId, 'session.json'), JSON.stringify(last));
    expect((await remove(resumeToken)).status).toBe(204);
    expect(await (await api('')).json()).toMatchObject({ state: 'ended', recording: 'off' });
  });
});

describe('deleting a recording', () => {
  test('is for who published it: nothing of it is left', async () => {
    await registry.remove(sessionId);
    expect((await remove(resumeToken)).status).toBe(204);
    expect(await readdir(gateway.recordingsDir)).toEqual([]);
    expect(await refusal(api('/recording.mp4'))).toEqual([404, 'not_found']);
    expect(await refusal(hls('recording.m3u8'))).toEqual([404, 'not_found']);
    expect(await refusal(remove(resumeToken))).toEqual([404, 'not_found']);
  });

  test('is for nobody else, and not for a session that runs', async () => {
    expect(await refusal(remove())).toEqual([401, 'unauthorized']);
    expect(await refusal(remove('guessed'))).toEqual([401, 'unauthorized']);
    expect(await refusal(remove(resumeToken))).toEqual([409, 'conflict']);
    expect(await readdir(gateway.recordingsDir)).toEqual([sessionId]);
  });
});

test.each(['nobody', '..%2f..%2fetc', '..', 'a%00b'])(
  'of the session %j there is no recording: 404 or 400, as JSON',
  async (id) => {
    for (const path of [
      `/api/sessions/${id}/recording.mp4`,
      `/hls/${id}/recording.mp4`,
      `/hls/${id}/recording.m3u8`,
      `/hls/${id}/recording.json`,
    ]) {
      const [status] = await refusal(fetch(`${gateway.url}${path}`));
      expect([400, 404]).toContain(status);
    }
  },
);

test('who may delete it, nobody can read', async () => {
  expect(await refusal(hls('recording.json'))).toEqual([404, 'not_found']);
});

test.each([
  ['ask', undefined, false],
  ['ask', false, false],
  ['ask', true, true],
  ['0', true, false],
  ['1', false, true],
])('with RECORD=%s, a start with record: %j is recorded: %j', async (RECORD, record, recorded) => {
  const settings = { RECORD, RECORDING_RETENTION_HOURS: '48' };
  const other = await testGateway(redisUrl, settings);
  try {
    const client = await IngestClient.connect(other.ingestUrl);
    client.say({ type: 'start', mimeType: 'video/webm', ...(record !== undefined && { record }) });
    const started = await client.message('started');
    const url = `/api/sessions/${started.sessionId}/recording.mp4`;
    expect(started.recording).toEqual(recorded ? { url, keptHours: 48 } : undefined);
    client.chunks('first');
    await client.acknowledgedAtLeast(1);
    expect((await registry.get(started.sessionId))?.record).toBe(recorded);
  } finally {
    await other.close();
  }
});
