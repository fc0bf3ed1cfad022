import { expect, test } from 'vitest';
import { QUEUE_PREFIX } from './queues.js';
import { draftSession } from './session.js';
import * as keys from './session-keys.js';

const { id } = draftSession({ mimeType: 'video/webm', effect: 'box' }).session;

test('sessionOfKey knows every key that goes with a session, and no other', () => {
  const { SESSIONS_KEY, sessionOfKey, sessionOwnerKey, viewingLinksKey, ...others } = keys;
  const { chunkKey, leaseKey, stageOwnersKey, ...ofIds } = others;
  const gone = [
    ...Object.values(ofIds).map((keyOf) => keyOf(id)),
    ...[chunkKey(id, 3), leaseKey('decode', id), stageOwnersKey('segment', id)],
    ...[`${QUEUE_PREFIX}:chunks-${id}:meta`, `${QUEUE_PREFIX}:chunks-${id}:c3`],
  ];
  expect(gone.map(sessionOfKey)).toEqual(gone.map(() => id));

  const staying = [
    SESSIONS_KEY,
    sessionOwnerKey(id),
    viewingLinksKey(id),
    `${QUEUE_PREFIX}:decode:${id}`,
  ];
  expect(staying.map(sessionOfKey)).toEqual(staying.map(() => undefined));
});
