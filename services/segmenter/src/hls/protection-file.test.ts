import { expect, test } from 'vitest';
import type { ProtectionChange } from '@facecast/shared/protocol/recording-folder';
import { clearStretches } from '@facecast/shared/protocol/recording-folder';
import { withChange } from './protection-file.js';

const change = (
  fromFrame: number,
  effect: ProtectionChange['effect'],
  hidden = false,
): ProtectionChange => ({ fromFrame, effect, hidden });

test('a repeated state is not written again', () => {
  const changes = [change(0, 'blur')];
  expect(withChange(changes, change(3, 'blur'))).toBe(changes);
});

test('for frames that were not listed, the last change counts', () => {
  const changes = [change(0, 'box'), change(30, 'blur')];
  expect(withChange(changes, change(30, 'none'))).toEqual([change(0, 'box'), change(30, 'none')]);
  expect(withChange(changes, change(30, 'box'))).toEqual([change(0, 'box')]);
});

test('the number of changes is bounded, and frames without a record count as clear', () => {
  let changes: readonly ProtectionChange[] = [];
  for (let n = 0; n < 5_000; n++) changes = withChange(changes, change(n, 'blur', n % 2 === 0));
  expect(changes.length).toBeLessThanOrEqual(1_000);
  expect(clearStretches(changes, 5_000).at(-1)?.to).toBe(5_000);
});
