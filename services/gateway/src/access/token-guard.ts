import type { WrongTokens } from './wrong-tokens.js';

/** How a token can be right. */
export interface TokenKinds {
  /** One that we made, of 128 bits: nobody guesses it, so a right one is taken from whoever sends it. */
  made?: (token: string) => boolean;
  /** One that a person chose: from who has tried too many it is not even looked at. */
  chosen?: (token: string) => boolean;
}

export type TokenVerdict = 'right' | 'wrong' | 'too many';

/** Judges tokens, and bounds how many wrong ones a client may try. */
export class TokenGuard {
  constructor(private readonly wrongTokens: WrongTokens) {}

  /** @param client whose wrong tokens are counted together */
  judge(client: string, token: string, { made, chosen }: TokenKinds): TokenVerdict {
    if (made?.(token)) return 'right';
    const isTooMany = this.wrongTokens.isTooMany(client);
    if (!isTooMany && chosen?.(token)) return 'right';
    this.wrongTokens.tried(client);
    return isTooMany ? 'too many' : 'wrong';
  }
}
