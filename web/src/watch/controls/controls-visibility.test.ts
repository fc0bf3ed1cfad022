import { expect, test } from 'vitest';
import { areControlsShown, HIDE_AFTER_MS, type ControlsUse } from './controls-visibility.js';

const IDLE: ControlsUse = {
  ...{ isPlaying: true, idleMs: HIDE_AFTER_MS },
  ...{ isFocused: false, isPointedAt: false, isHelpOpen: false },
};

test('controls hide while a stream plays and nobody does anything', () => {
  expect(areControlsShown(IDLE)).toBe(false);
  expect(areControlsShown({ ...IDLE, idleMs: HIDE_AFTER_MS - 1 })).toBe(true);
});

test('they never hide from who uses them, nor while nothing plays', () => {
  const uses: Partial<ControlsUse>[] = [
    ...[{ isPlaying: false }, { isFocused: true }, { isPointedAt: true }, { isHelpOpen: true }],
  ];
  for (const use of uses) expect(areControlsShown({ ...IDLE, ...use })).toBe(true);
});
