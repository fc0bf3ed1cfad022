import { expect, test } from 'vitest';
import { commandOf, type Focused, type KeyPress } from './shortcuts.js';

const press = (key: string, more: Partial<KeyPress> = {}) =>
  commandOf({ key, hasModifier: false, isRepeated: false, focused: 'nothing', ...more });
const ALL = [' ', 'k', 'm', 'f', 'i', 'ArrowLeft', 'ArrowRight', '0', '9'];

test('space and k play and pause, m switches the sound, f and i the window', () => {
  expect([' ', 'k', 'K', 'm', 'f', 'i'].map((key) => press(key)?.name)).toEqual([
    ...['play', 'play', 'play'],
    ...['mute', 'full-screen', 'picture-in-picture'],
  ]);
});

test('arrows move by five seconds, digits to tenths of the whole', () => {
  expect(press('ArrowLeft')).toEqual({ name: 'seek-by', seconds: -5 });
  expect(press('ArrowRight')).toEqual({ name: 'seek-by', seconds: 5 });
  expect(press('0')).toEqual({ name: 'seek-to', fraction: 0 });
  expect(press('7')).toEqual({ name: 'seek-to', fraction: 0.7 });
});

test('other keys are left to the browser, and so is every key with a modifier', () => {
  for (const key of ['Tab', 'Enter', 'Escape', 'ArrowUp', 'a']) expect(press(key)).toBeUndefined();
  for (const key of ALL) expect(press(key, { hasModifier: true })).toBeUndefined();
});

test('a control that has the focus keeps the keys that it uses', () => {
  const left = (focused: Focused) => ALL.filter((key) => !press(key, { focused }));
  expect(left('button')).toEqual([' ']);
  expect(left('slider')).toEqual(['ArrowLeft', 'ArrowRight']);
  expect(left('text')).toEqual(ALL);
});

test('a key that is held down seeks on, and switches once', () => {
  const held = ALL.filter((key) => press(key, { isRepeated: true }));
  expect(held).toEqual(['ArrowLeft', 'ArrowRight', '0', '9']);
});
