import { describe, expect, test } from 'vitest';
import { upTo } from './testing/test-frames.js';

import {
  beginSession,
  clearFrames,
  endInput,
  leaveUnsearched,
  markClear,
  next,
  published,
  recordedProtection,
  start,
  stop,
  times,
  wish,
  useSegmenters,
} from './testing/use-segmenters.js';

useSegmenters();

describe('once its publisher hides everything', () => {
  test('no unpublished frame is clear, until the publisher shows the picture again', async () => {
    start();
    const sessionId = await beginSession();
    const before = published(sessionId, 10);
    for (const batch of upTo(10)) await markClear(sessionId, batch, 'box');
    await before;
    // These wait for batch 10: they were drawn before the wish, and are published after it.
    for (const batch of [11, 12, 13]) await markClear(sessionId, batch, 'box');
    await wish(sessionId, { hidden: true });
    const hidden = published(sessionId, 20);
    for (const batch of [10, 14, 15, 16, 17, 18, 19]) await markClear(sessionId, batch, 'box');
    await hidden;
    await wish(sessionId, { hidden: false });
    const ended = next('ended', sessionId);
    for (const batch of upTo(24).slice(20)) await markClear(sessionId, batch, 'box');
    await endInput(sessionId, 24);
    await ended;
    expect(await clearFrames(sessionId)).toEqual([
      ...times(30, true),
      ...times(30, false),
      ...times(12, true),
    ]);
  });

  test('it stays so when another segmenter goes on, and the stats say since which frame', async () => {
    const first = start();
    const sessionId = await beginSession();
    const before = published(sessionId, 10);
    for (const batch of upTo(10)) await markClear(sessionId, batch, 'box');
    await before;
    const told = next('stats', sessionId, ({ stats }) => stats.shown?.hidden === true);
    await wish(sessionId, { hidden: true });
    await markClear(sessionId, 10, 'box');
    const { stats } = await told;
    expect(stats).toMatchObject({ recent: { hidden: 3 }, shown: { sinceFrame: 30 } });
    await stop(first);
    start();
    const ended = next('ended', sessionId);
    for (const batch of upTo(14).slice(11)) await markClear(sessionId, batch, 'box');
    await endInput(sessionId, 14);
    await ended;
    expect(await clearFrames(sessionId)).toEqual([...times(30, true), ...times(12, false)]);
  });
});

describe('a stronger effect', () => {
  test('redacts unpublished frames with a weaker one as a whole', async () => {
    start();
    const sessionId = await beginSession();
    const before = published(sessionId, 10);
    for (const batch of upTo(10)) await markClear(sessionId, batch, 'box');
    await before;
    const told = next('stats', sessionId, ({ stats }) => stats.shown?.effect === 'blur');
    await wish(sessionId, { effect: 'blur' });
    await markClear(sessionId, 10, 'box');
    await markClear(sessionId, 11, 'blur');
    expect((await told).stats.shown).toMatchObject({ hidden: false, sinceFrame: 30 });
    // A weaker one waits until it is drawn.
    const after = next('stats', sessionId, ({ stats }) => stats.shown?.effect === 'none');
    await wish(sessionId, { effect: 'none' });
    await markClear(sessionId, 12, 'blur');
    await markClear(sessionId, 13, 'none');
    expect((await after).stats.shown).toMatchObject({ sinceFrame: 39 });
    const ended = next('ended', sessionId);
    await endInput(sessionId, 14);
    await ended;
    expect(await clearFrames(sessionId)).toEqual([
      ...times(30, true),
      ...times(3, false),
      ...times(9, true),
    ]);
  });
});

test('a batch that was not searched in time is shown clear only in effects that do not hide', async () => {
  start();
  const sessionId = await beginSession();
  const ended = next('ended', sessionId);
  const effects = ['box', 'blur', 'pixelate', 'black', 'none'] as const;
  for (const [batch, effect] of effects.entries()) await leaveUnsearched(sessionId, batch, effect);
  await endInput(sessionId, effects.length);
  await ended;
  expect(await clearFrames(sessionId)).toEqual([
    ...times(3, true),
    ...times(9, false),
    ...times(3, true),
  ]);
});

describe('a recording', () => {
  test('records from which frame on its viewers were protected in which way', async () => {
    const first = start();
    const sessionId = await beginSession({ record: true });
    const before = published(sessionId, 10);
    for (const batch of upTo(10)) await markClear(sessionId, batch, 'box');
    await before;
    await wish(sessionId, { effect: 'pixelate' });
    const hidden = published(sessionId, 20);
    // The first was drawn before the wish, and is redacted.
    await markClear(sessionId, 10, 'box');
    for (const batch of upTo(20).slice(11)) await markClear(sessionId, batch, 'pixelate');
    await hidden;
    await stop(first);
    start();
    const again = published(sessionId, 24);
    for (const batch of upTo(24).slice(20)) await markClear(sessionId, batch, 'pixelate');
    await again;
    await wish(sessionId, { hidden: true });
    const ended = next('ended', sessionId);
    for (const batch of upTo(27).slice(24)) await markClear(sessionId, batch, 'pixelate');
    await endInput(sessionId, 27);
    await ended;
    expect(await recordedProtection(sessionId)).toEqual([
      { fromFrame: 0, effect: 'box', hidden: false },
      { fromFrame: 30, effect: 'pixelate', hidden: false },
      { fromFrame: 72, effect: 'pixelate', hidden: true },
    ]);
  });
});
