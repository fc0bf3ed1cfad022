import { mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProtectionChange, RecordingEdit } from '@facecast/shared/protocol/recording-folder';
import { JobQueue } from '@facecast/shared/redis/queues';
import { describe, beforeEach, expect, test } from 'vitest';
import type { TestGateway } from '../testing/test-gateway.js';
import { statsOf } from '../testing/test-stats.js';
import { ADMIN_TOKEN, bearer, httpRefusal, useGateways } from '../testing/use-gateways.js';

const { redis, registry, gatewayWith } = useGateways();

const MEDIA = 'what a segmenter wrote';
const FACES = '{"frame":7,"t":0.2333,"faces":[]}\n';
let gateway: TestGateway;
let sessionId: string;
let resumeToken: string;
let folder: string;

beforeEach(async () => {
  gateway = await gatewayWith({ ADMIN_TOKEN });
  const wanted = { mimeType: 'video/webm', effect: 'box', record: true } as const;
  const created = await registry.create(wanted, 10);
  sessionId = created.session.id;
  resumeToken = created.resumeToken;
  const { createdAt, resumeTokenHash } = created.session;
  folder = join(gateway.recordingsDir, sessionId);
  await mkdir(folder, { recursive: true });
  await write('recording.mp4', MEDIA);
  const segments = [1, 1, 0.5].map((seconds) => `#EXTINF:${seconds.toFixed(5)},\nrecording.mp4\n`);
  await write('recording.m3u8', `#EXTM3U\n${segments.join('')}#EXT-X-ENDLIST\n`);
  await write('faces.ndjson', FACES);
  await write('recording.json', JSON.stringify({ createdAt, resumeTokenHash }));
  await write(
    'session.json',
    JSON.stringify(statsOf(sessionId, { state: 'ended', recording: 'on' })),
  );
  await shown(
    { fromFrame: 0, effect: 'box', hidden: false },
    { fromFrame: 33, effect: 'blur', hidden: false },
  );
  await registry.remove(sessionId);
});

const write = (name: string, content: string) => writeFile(join(folder, name), content);
const shown = (...changes: ProtectionChange[]) => write('protection.json', JSON.stringify(changes));
const at = (path: string, init?: RequestInit) => fetch(`${gateway.url}${path}`, init);
const edits = () => `/api/sessions/${sessionId}/recording/edits`;
const status = (token = resumeToken) => at(edits(), bearer(token));
const order = (wanted: unknown, token?: string) =>
  at(edits(), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && bearer(token).headers),
    },
    body: JSON.stringify(wanted),
  });
const ordered = async () =>
  JSON.parse(await readFile(join(folder, 'edit.json'), 'utf8')) as RecordingEdit;
/** What a segmenter leaves when it is done, or has given up. */
const finish = async (state: RecordingEdit['state']) =>
  write('edit.json', JSON.stringify({ ...(await ordered()), state }));
/** Reads all of an answer, which would otherwise hold its connection. */
const statusOf = async (answer: Promise<Response>) => {
  const response = await answer;
  await response.arrayBuffer();
  return response.status;
};
/** All answers that have content of a recording. */
const answers = () => [
  `/hls/${sessionId}/recording.m3u8`,
  `/hls/${sessionId}/recording.mp4`,
  `/api/sessions/${sessionId}/recording.mp4`,
  `/api/sessions/${sessionId}/faces`,
];

describe('a recording', () => {
  test('says to its owner which part of it may show faces', async () => {
    expect(await (await status()).json()).toEqual({
      ...{ state: 'none', seconds: 2.5, clearSeconds: 1.1, lastCut: 2 },
      clear: [{ from: 0, to: 1.1 }],
    });
  });

  test('without any record of its protection may show faces throughout', async () => {
    await write('protection.json', '[]');
    expect(await (await status()).json()).toMatchObject({ clear: [{ from: 0, to: 2.5 }] });
  });

  test('shows none if everything was hidden', async () => {
    await shown({ fromFrame: 0, effect: 'box', hidden: true });
    expect(await (await status()).json()).toMatchObject({ clearSeconds: 0, clear: [] });
  });

  test('is edited for its publisher and the operator, and for nobody else', async () => {
    for (const answer of [order({ cutBefore: 1 }), at(edits()), order({ cutBefore: 1 }, 'guessed')])
      expect(await httpRefusal(answer)).toEqual([401, 'unauthorized']);
    expect(await readdir(folder)).not.toContain('edit.json');
    expect((await order({ cutBefore: 1 }, ADMIN_TOKEN)).status).toBe(202);
    expect((await status(ADMIN_TOKEN)).status).toBe(200);
  });

  test.each([
    [{}],
    [{ cutBefore: 0 }],
    [{ cutBefore: -1 }],
    [{ cutBefore: '1' }],
    [{ cutBefore: 2.001 }],
    [{ effect: 'box' }],
    [{ effect: 'none' }],
    [{ effect: 'blur', cutBefore: 1 }],
    [[]],
  ])('is not edited by %j: 400, and it is as it was', async (wanted) => {
    expect(await httpRefusal(order(wanted, resumeToken))).toEqual([400, 'bad_request']);
    for (const path of answers()) expect(await statusOf(at(path))).toBe(200);
  });

  test('that does not exist cannot be edited', async () => {
    sessionId = 'nobody';
    expect(await httpRefusal(order({ cutBefore: 1 }, resumeToken))).toEqual([404, 'not_found']);
    expect(await httpRefusal(status())).toEqual([404, 'not_found']);
  });
});

describe('while a recording is edited', () => {
  test.each(['pending', 'failed'] as const)('only its owner may fetch it, %s', async (state) => {
    expect((await order({ effect: 'blur' }, resumeToken)).status).toBe(202);
    await finish(state);
    for (const path of answers()) {
      expect(await httpRefusal(at(path))).toEqual([409, 'conflict']);
      expect(await httpRefusal(at(path, bearer('guessed')))).toEqual([401, 'unauthorized']);
      expect(await statusOf(at(path, bearer(resumeToken)))).toBe(200);
    }
    expect(await (await at(`/api/sessions/${sessionId}`)).json()).toMatchObject({
      recording: 'off',
    });
    await finish('done');
    for (const path of answers()) expect(await statusOf(at(path))).toBe(200);
    expect(await (await at(`/api/sessions/${sessionId}`)).json()).toMatchObject({
      recording: 'on',
    });
  });

  test('running downloads are ended, even if the edit is done at once', async () => {
    // Holes only, but more than can be sent in seconds.
    await truncate(join(folder, 'recording.mp4'), 100_000_000_000);
    const download = await at(`/api/sessions/${sessionId}/recording.mp4`);
    await order({ cutBefore: 1 }, resumeToken);
    await finish('done');
    const readAll = async () => {
      for await (const chunk of download.body ?? []) expect(chunk).toBeDefined();
    };
    await expect(readAll()).rejects.toThrow();
  });

  test('its live folder is removed, too', async () => {
    const live = join(gateway.hlsDir, sessionId);
    await mkdir(live);
    await writeFile(join(live, '1.m4s'), 'the first second');
    await order({ cutBefore: 1 }, resumeToken);
    expect(await readdir(gateway.hlsDir)).toEqual([]);
    expect(await httpRefusal(at(`/hls/${sessionId}/1.m4s`))).toEqual([404, 'not_found']);
  });

  test('the same edit again is the same, and another has to wait', async () => {
    await order({ cutBefore: 1 }, resumeToken);
    const { id } = await ordered();
    expect((await order({ cutBefore: 1 }, resumeToken)).status).toBe(202);
    expect((await ordered()).id).toBe(id);
    const other = order({ effect: 'blur' }, resumeToken);
    expect(await httpRefusal(other)).toEqual([409, 'conflict']);
  });

  test('one that failed can be ordered again, and so can another', async () => {
    await order({ effect: 'blur' }, resumeToken);
    await finish('failed');
    expect((await order({ cutBefore: 1 }, resumeToken)).status).toBe(202);
    expect(await ordered()).toMatchObject({
      state: 'pending',
      wanted: { cutBefore: 1 },
      attempts: 0,
    });
  });

  test('segmenters hear of it at once', async () => {
    await order({ cutBefore: 1 }, resumeToken);
    const queue = new JobQueue(redis, { kind: 'edit' });
    expect((await queue.find(sessionId))?.data).toEqual({ sessionId });
    await queue.close();
  });
});

test('a live stream goes on while the recording of its beginning waits to be edited', async () => {
  const wanted = { mimeType: 'video/webm', effect: 'box', record: true } as const;
  const running = await registry.create(wanted, 10);
  const { id, createdAt, resumeTokenHash } = running.session;
  sessionId = id;
  folder = join(gateway.recordingsDir, id);
  await mkdir(folder);
  await write('recording.m3u8', '#EXTM3U\n#EXTINF:1.00000,\na\n#EXTINF:1.00000,\na\n');
  await write('recording.json', JSON.stringify({ createdAt, resumeTokenHash }));
  const live = join(gateway.hlsDir, id);
  await mkdir(live);
  await writeFile(join(live, 'faces.ndjson'), FACES);
  expect((await order({ cutBefore: 1 }, running.resumeToken)).status).toBe(202);
  expect(await readdir(live)).toEqual(['faces.ndjson']);
  expect(await (await at(`/api/sessions/${id}/faces`)).text()).toBe(FACES);
  expect(await httpRefusal(at(`/hls/${id}/recording.m3u8`))).toEqual([409, 'conflict']);
});
