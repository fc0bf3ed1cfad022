import { expect, test } from 'vitest';
import { WrongTokens } from './wrong-tokens.js';

let now = 0;
const wrongTokens = (maxClients?: number) => new WrongTokens(() => now, maxClients);

test('sixty wrong tokens are borne, then one a second; others are not held liable', () => {
  const tokens = wrongTokens();
  for (let n = 0; n < 60; n++) {
    expect(tokens.isTooMany('a')).toBe(false);
    tokens.tried('a');
  }
  expect(tokens.isTooMany('a')).toBe(true);
  expect(tokens.isTooMany('b')).toBe(false);
  now += 1_001;
  expect(tokens.isTooMany('a')).toBe(false);
  tokens.tried('a');
  expect(tokens.isTooMany('a')).toBe(true);
});

test('who has long tried none is forgotten', () => {
  const tokens = wrongTokens();
  tokens.tried('a');
  now += 60_000;
  expect(tokens.isTooMany('a')).toBe(false);
  expect(tokens.clients).toBe(0);
});

test('however many clients there are, so many are remembered', () => {
  const tokens = wrongTokens(100);
  for (let n = 0; n < 1_000; n++) tokens.tried(`client ${n}`);
  expect(tokens.clients).toBe(100);
});
