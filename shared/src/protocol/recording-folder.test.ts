import { expect, test } from 'vitest';
import { clearStretches, type ProtectionChange } from './recording-folder.js';

const change = (
  fromFrame: number,
  effect: ProtectionChange['effect'],
  hidden = false,
): ProtectionChange => ({ fromFrame, effect, hidden });

test.each<[string, ProtectionChange[], [number, number][]]>([
  ['without any record of its protection', [], [[0, 100]]],
  ['whose record of protection begins too late', [change(30, 'blur')], [[0, 30]]],
  ['begun clear', [change(0, 'box'), change(60, 'pixelate')], [[0, 60]]],
  ['clear in two ways', [change(0, 'box'), change(40, 'none'), change(60, 'black')], [[0, 60]]],
  ['clear in between', [change(0, 'blur'), change(20, 'none'), change(30, 'blur')], [[20, 30]]],
  ['clear at the end', [change(0, 'blur'), change(90, 'box')], [[90, 100]]],
  ['hidden as a whole for a time', [change(0, 'box', true), change(9, 'box')], [[9, 100]]],
  ['hidden throughout', [change(0, 'black')], []],
  ['clear later than it is long', [change(0, 'black'), change(100, 'none')], []],
])('a recording that is %s may show faces in those frames', (_, changes, stretches) => {
  const found = clearStretches(changes, 100).map(({ from, to }) => [from, to]);
  expect(found).toEqual(stretches);
});
