import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a token is for: to be exchanged for passes, or to see a session with. */
export type TokenKind = 'link' | 'pass';

/** What a token says. Times are in seconds since the epoch. */
export interface SignedToken {
  /** Of the link: a pass has the id of the link that it came from. */
  linkId: string;
  /** Until when a link may be exchanged; of a pass, when it was. */
  joinUntil: number;
  /** When whoever came by it must leave. */
  leaveAt: number;
  /** Whether it is good from one address only, which is signed, and not in it. */
  isBound: boolean;
}

/** What is signed besides. */
export interface SignedScope {
  kind: TokenKind;
  sessionId: string;
  /** Of the client; part of the signature of a token that is bound. */
  address: string;
}

const LINK_ID_BYTES = 9;
const SIGNATURE_BYTES = 16;
const PATTERN = /^([\w-]{12})\.([0-9a-z]{1,8})\.([0-9a-z]{1,8})\.([ab])\.([\w-]{22})$/;

/** An id that cannot be guessed, in characters that are safe in a URL and a cookie. */
export function newLinkId(): string {
  return randomBytes(LINK_ID_BYTES).toString('base64url');
}

/** A token in characters that are safe in a path, a query and a cookie. */
export function signToken(key: Buffer, scope: SignedScope, token: SignedToken): string {
  const text = textOf(token);
  return `${text}.${signatureOf(key, scope, token, text).toString('base64url')}`;
}

/** What a token says; undefined where it is not signed with our key for this session and client. */
export function verifyToken(
  key: Buffer,
  scope: SignedScope,
  text: string,
): SignedToken | undefined {
  const found = PATTERN.exec(text);
  if (!found) return undefined;
  const [, linkId = '', joinUntil = '', leaveAt = '', binding, signature = ''] = found;
  const token = {
    linkId,
    joinUntil: Number.parseInt(joinUntil, 36),
    leaveAt: Number.parseInt(leaveAt, 36),
    isBound: binding === 'b',
  };
  const expected = signatureOf(key, scope, token, textOf(token));
  const given = Buffer.from(signature, 'base64url');
  return given.length === expected.length && timingSafeEqual(given, expected) ? token : undefined;
}

function textOf({ linkId, joinUntil, leaveAt, isBound }: SignedToken): string {
  return [linkId, joinUntil.toString(36), leaveAt.toString(36), isBound ? 'b' : 'a'].join('.');
}

function signatureOf(
  key: Buffer,
  { kind, sessionId, address }: SignedScope,
  { isBound }: SignedToken,
  text: string,
): Buffer {
  const signed = [kind, sessionId, isBound ? address : '', text].join('\n');
  return createHmac('sha256', key).update(signed).digest().subarray(0, SIGNATURE_BYTES);
}
