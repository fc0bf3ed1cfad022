import type { IncomingMessage } from 'node:http';
import { Refusal } from '../errors.js';
import { bearerOf } from './tokens.js';
import { addressOf, clientOf } from './client-address.js';
import type { TokenGuard, TokenKinds } from './token-guard.js';

/** Lets requests in by the token of their `Authorization: Bearer` header. */
export class Bearers {
  constructor(
    private readonly tokens: TokenGuard,
    private readonly trustProxy: number,
  ) {}

  /**
   * The token of a request.
   * @param what is asked for, with the token that it needs, as a sentence
   * @throws {Refusal} where there is none
   */
  tokenOf(request: IncomingMessage, what: string): string {
    const token = bearerOf(request);
    if (token === undefined) throw new Refusal(401, what);
    return token;
  }

  /** @throws {Refusal} where the token is wrong, or was the last of too many wrong ones */
  require(request: IncomingMessage, token: string, kinds: TokenKinds): void {
    const client = clientOf(addressOf(request, this.trustProxy));
    const verdict = this.tokens.judge(client, token, kinds);
    if (verdict === 'too many') {
      throw new Refusal(429, 'Too many wrong tokens came from your address: wait a minute.');
    }
    if (verdict === 'wrong') throw new Refusal(401, 'That token may not do this.');
  }
}
