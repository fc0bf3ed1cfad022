import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { recordedLog } from '@facecast/shared/testing/recorded-log';
import { redisUrl } from '@facecast/shared/testing/worker-redis';
import { expect, test } from 'vitest';
import { fillSession } from '../testing/fill-session.js';
import { testGateway } from '../testing/test-gateway.js';
import { useGateways } from '../testing/use-gateways.js';

const { runningSession } = useGateways();

test('watching live, watching the recording and reading the faces are a line each, however many requests', async () => {
  const { log, lines } = recordedLog('error');
  const gateway = await testGateway(redisUrl, {}, {}, log);
  const { id } = (await runningSession()).session;
  await fillSession(gateway, id);
  await writeFile(
    join(gateway.recordingsDir, id, 'recording.json'),
    JSON.stringify({ createdAt: 1, resumeTokenHash: '' }),
  );
  const seen = async (...paths: string[]) => {
    lines.length = 0;
    for (const path of [...paths, ...paths]) {
      const answer = await fetch(gateway.url + path);
      expect([path, answer.status]).toEqual([path, 200]);
      await answer.arrayBuffer();
    }
    return lines.filter(({ audit }) => audit).map(({ action }) => action);
  };
  expect(await seen(`/hls/${id}/live.m3u8`, `/hls/${id}/4.m4s`)).toEqual(['view']);
  // Whoever knows where the media is needs no playlist.
  expect(await seen(`/hls/${id}/recording.mp4`, `/hls/${id}/recording.m3u8`)).toEqual([
    'view recording',
  ]);
  expect(await seen(`/api/sessions/${id}/faces`)).toEqual(['read faces']);
  await gateway.close();
});
