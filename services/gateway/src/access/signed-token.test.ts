import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  newLinkId,
  signToken,
  verifyToken,
  type SignedScope,
  type SignedToken,
} from './signed-token.js';

const key = randomBytes(32);
const scope: SignedScope = { kind: 'pass', sessionId: 's', address: '192.0.2.1' };
const token: SignedToken = {
  linkId: newLinkId(),
  joinUntil: 1_770_000_000,
  leaveAt: 1_770_003_600,
  isBound: false,
};
const text = signToken(key, scope, token);

test('says what was signed, in characters that are safe in paths, queries and cookies', () => {
  expect(verifyToken(key, scope, text)).toEqual(token);
  expect(text).toMatch(/^[\w.-]+$/);
});

test.each<[string, Partial<SignedScope>]>([
  ['another kind', { kind: 'link' }],
  ['another session', { sessionId: 't' }],
])('is none of %s', (_what, other) => {
  expect(verifyToken(key, { ...scope, ...other }, text)).toBeUndefined();
});

test('is good from everywhere, or where it is bound from one address', () => {
  const elsewhere = { ...scope, address: '192.0.2.2' };
  expect(verifyToken(key, elsewhere, text)).toEqual(token);
  const bound = signToken(key, scope, { ...token, isBound: true });
  expect(verifyToken(key, scope, bound)).toMatchObject({ isBound: true });
  expect(verifyToken(key, elsewhere, bound)).toBeUndefined();
  expect(verifyToken(key, elsewhere, bound.replace('.b.', '.a.'))).toBeUndefined();
});

test('changed anywhere, or signed by somebody else, it is none', () => {
  for (let at = 0; at < text.length - 1; at++) {
    const other = text[at] === 'a' ? 'b' : 'a';
    const changed = text.slice(0, at) + other + text.slice(at + 1);
    expect(verifyToken(key, scope, changed)).toBeUndefined();
  }
  expect(verifyToken(randomBytes(32), scope, text)).toBeUndefined();
  for (const none of ['', '.', text + text, text.slice(1)])
    expect(verifyToken(key, scope, none)).toBeUndefined();
});
