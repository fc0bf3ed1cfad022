import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a token is for: a link is exchanged for passes, a pass shows a session. */
export type TokenKind = 'link' | 'pass';

/** Content of a token. Times are in seconds since the epoch. */
export interface SignedToken {
  /** Id of the link; a pass has that of its link. */
  linkId: string;
  /** Until when a link may be exchanged; in a pass, when it was exchanged. */
  joinUntil: number;
  /** When its viewers must leave. */
  leaveAt: number;
  /** Whether it is valid from one address only, which is signed but not contained. */
  isBound: boolean;
}

/** What is signed in addition to the content. */
export interface SignedScope {
  kind: TokenKind;
  sessionId: string;
  /** Address of the client; signed if the token is bound to one. */
  address: string;
}

const LINK_ID_BYTES = 9;
const SIGNATURE_BYTES = 16;
const PATTERN = /^([\w-]{12})\.([0-9a-z]{1,8})\.([0-9a-z]{1,8})\.([ab])\.([\w-]{22})$/;

/** A random id, in characters that are safe in a URL and a cookie. */
export function newLinkId(): string {
  return randomBytes(LINK_ID_BYTES).toString('base64url');
}

/** Signs a token; its characters are safe in a path, a query and a cookie. */
export function signToken(key: Buffer, scope: SignedScope, token: SignedToken): string {
  const text = textOf(token);
  return `${text}.${signatureOf(key, scope, token, text).toString('base64url')}`;
}

/** Content of a token; undefined if it is not signed with our key for this session and client. */
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
