import { createLogger } from '@facecast/shared/runtime/logger';
import { draftSession } from '@facecast/shared/redis/session';
import { expect, test } from 'vitest';
import { renderedBatch } from '../testing/cadence.js';
import { detailedFrames } from '../testing/test-frames.js';
import { showsTooMuch, ViewersProtection } from './viewers-protection.js';

const { session } = draftSession({ mimeType: 'video/webm', effect: 'box' });
const log = createLogger('test', 'silent');
const clear = () => detailedFrames(3);

test.each([
  ['blur', 'blur', false],
  ['blur', 'pixelate', true],
  ['box', 'black', true],
  ['black', 'blur', false],
  ['black', 'none', false],
  // Neither hides anybody.
  ['none', 'box', false],
] as const)(
  'a frame drawn with %s, if %s is wanted now, shows too much: %s',
  (drawn, effect, is) => {
    expect(showsTooMuch(drawn, { effect, hidden: false })).toBe(is);
    expect(showsTooMuch(drawn, { effect, hidden: true })).toBe(true);
  },
);

test('everything is hidden while the choice of the publisher cannot be read', async () => {
  let isThere = true;
  const registry = {
    get: () => (isThere ? Promise.resolve(session) : Promise.reject(new Error('gone'))),
  };
  const protection = new ViewersProtection(session, registry, log);
  const shownAs = async () => {
    const frames = clear();
    const { shown } = await protection.apply(renderedBatch(0), frames, true);
    return { hidden: shown.hidden, isClear: frames.equals(clear()) };
  };
  isThere = false;
  expect(await shownAs()).toEqual({ hidden: false, isClear: true });
  protection.changed();
  expect(await shownAs()).toEqual({ hidden: true, isClear: false });
  expect(await shownAs()).toEqual({ hidden: true, isClear: false });
  isThere = true;
  expect(await shownAs()).toEqual({ hidden: false, isClear: true });
});

test.each([
  ['none', true],
  ['box', true],
  ['blur', false],
  ['pixelate', false],
  ['black', false],
] as const)('an unsearched batch is shown in %s: %s', async (effect, isShown) => {
  const protection = new ViewersProtection(
    { ...session, effect },
    { get: () => Promise.resolve({ ...session, effect }) },
    log,
  );
  const frames = clear();
  const { batch, shown } = await protection.apply(renderedBatch(0, { effect }), frames, false);
  expect(frames.equals(clear())).toBe(isShown);
  expect(batch.frames.every(({ hidden }) => hidden)).toBe(!isShown);
  expect(shown).toEqual({ effect, hidden: false });
});

test('a redacted batch is marked as hidden, and is otherwise unchanged', async () => {
  const protection = new ViewersProtection(session, { get: () => Promise.resolve(session) }, log);
  protection.learn({ effect: 'box', hidden: true });
  const face = { id: 0, x: 1, y: 2, width: 3, height: 4, score: 1 };
  const frames = [0, 1, 2].map(() => ({ searched: true, hidden: false, faces: [face] }));
  const batch = renderedBatch(0, { frames });
  const applied = await protection.apply(batch, clear(), true);
  expect(applied.batch).toEqual({
    ...batch,
    frames: frames.map((frame) => ({ ...frame, hidden: true })),
  });
});
