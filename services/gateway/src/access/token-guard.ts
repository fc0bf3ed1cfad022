import type { WrongTokens } from './wrong-tokens.js';

/** How a token is right. */
export interface TokenKinds {
  /** The server made it, with 128 random bits: it cannot be guessed, so it is accepted from every client. */
  made?: (token: string) => boolean;
  /** A person chose it: from a client with too many wrong tokens it is not even compared. */
  chosen?: (token: string) => boolean;
}

export type TokenVerdict = 'right' | 'wrong' | 'too many';

/** Checks tokens, and limits how many wrong ones a client may try. */
export class TokenGuard {
  constructor(private readonly wrongTokens: WrongTokens) {}

  /** @param client name under which wrong tokens are counted */
  judge(client: string, token: string, { made, chosen }: TokenKinds): TokenVerdict {
    if (made?.(token)) return 'right';
    const isTooMany = this.wrongTokens.isTooMany(client);
    if (!isTooMany && chosen?.(token)) return 'right';
    this.wrongTokens.tried(client);
    return isTooMany ? 'too many' : 'wrong';
  }
}
