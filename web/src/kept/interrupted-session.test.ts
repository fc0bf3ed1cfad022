import { expect, test } from 'vitest';
import { InterruptedSession, type KeptSession } from './interrupted-session.js';
import { memoryStorage, sessionCalled } from '../testing/session-called.js';

const KEPT: KeptSession = {
  session: sessionCalled('s1', { resumeSeconds: 15 }),
  source: { kind: 'camera', deviceId: '' },
  withSound: false,
  link: undefined,
  wish: { effect: 'pixelate', hidden: false },
};

test('what was on air is found for as long as the server keeps it, and not once it has ended', () => {
  let now = 1_000;
  const interrupted = new InterruptedSession(memoryStorage(), () => now);
  expect(interrupted.find()).toBeUndefined();
  interrupted.keep(KEPT);
  now += 5_000;
  expect(interrupted.find()).toEqual({ kept: KEPT, leftMs: 10_000 });
  now += 10_000;
  expect(interrupted.find()).toBeUndefined();
  interrupted.keep(KEPT);
  interrupted.forget();
  expect(interrupted.find()).toBeUndefined();
});
