import type { IncomingMessage } from 'node:http';
import { HttpError } from '../errors.js';
import { bearerOf } from './tokens.js';
import { addressOf, clientOf } from './client-address.js';
import type { TokenGuard, TokenKinds } from './token-guard.js';

/** Checks the token in the `Authorization: Bearer` header of requests. */
export class Bearers {
  constructor(
    private readonly tokens: TokenGuard,
    private readonly trustProxy: number,
  ) {}

  /**
   * The token of a request.
   * @param what a sentence for the refusal: what is requested, and which token it needs
   * @throws {HttpError} if the request has none
   */
  tokenOf(request: IncomingMessage, what: string): string {
    const token = bearerOf(request);
    if (token === undefined) throw new HttpError(401, what);
    return token;
  }

  /** @throws {HttpError} if the token is wrong, or the client has sent too many wrong ones */
  require(request: IncomingMessage, token: string, kinds: TokenKinds): void {
    const client = clientOf(addressOf(request, this.trustProxy));
    const verdict = this.tokens.judge(client, token, kinds);
    if (verdict === 'too many') {
      throw new HttpError(429, 'Too many wrong tokens came from your address: wait a minute.');
    }
    if (verdict === 'wrong') throw new HttpError(401, 'That token may not do this.');
  }
}
