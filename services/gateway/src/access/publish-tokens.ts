import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { effectSchema, type Effect } from '@facecast/shared/protocol/ingest-protocol';
import type { Logger } from '@facecast/shared/runtime/logger';
import { ConfigError } from '@facecast/shared/runtime/config';
import { z } from 'zod';
import { sameSecret } from './tokens.js';

/** How often the file is checked for changes, in milliseconds: a removed token works this much longer. */
const LOOK_MS = 1_000;
/** Maximum number of publishers in the file: each start compares its token with all of them. */
const MAX_PUBLISHERS = 1_000;

const publisherSchema = z
  .strictObject({
    /** Name in the log and the audit. */
    name: z.string().min(1).max(100),
    token: z.string().min(8).max(1000).optional(),
    /** Instead of the token: its SHA-256, in hexadecimal. */
    tokenSha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/i)
      .optional(),
    /** When the token stops working, as an ISO 8601 date or time. */
    expires: z.union([z.iso.date(), z.iso.datetime({ offset: true })]).optional(),
    /** The effects allowed with it; absent: all. */
    effects: z.array(effectSchema).min(1).optional(),
  })
  .refine(({ token, tokenSha256 }) => (token === undefined) !== (tokenSha256 === undefined), {
    error: 'has either token or tokenSha256',
  });
const fileSchema = z.array(publisherSchema).max(MAX_PUBLISHERS);

type Listed = z.output<typeof publisherSchema>;

/** A publisher, as known from the token. */
export interface Identity {
  /** Undefined if no token is needed, or for `PUBLISH_TOKEN`. */
  name: string | undefined;
  /** The effects allowed; undefined: all. */
  effects: readonly Effect[] | undefined;
}

const ANYBODY: Identity = { name: undefined, effects: undefined };

/** The tokens that let somebody publish: `PUBLISH_TOKEN`, and those of `PUBLISHERS_FILE`. */
export class PublishTokens {
  private listed: Listed[] = [];
  private readAt = -Infinity;
  private version = '';

  /** @throws {ConfigError} if the file cannot be used */
  constructor(
    private readonly options: { token?: string | undefined; file?: string | undefined },
    private readonly log: Logger,
    private readonly now: () => number = Date.now,
  ) {
    this.read();
  }

  /** Whether publishing needs a token. */
  get areNeeded(): boolean {
    return this.options.token !== undefined || this.options.file !== undefined;
  }

  /** The publisher that a token belongs to; undefined if there is none. */
  identify(token: string | undefined): Identity | undefined {
    if (!this.areNeeded) return ANYBODY;
    if (token === undefined) return undefined;
    if (this.isTheOne(token)) return ANYBODY;
    const found = this.current().find((publisher) => isTokenOf(publisher, token));
    if (!found || this.hasExpired(found)) return undefined;
    return { name: found.name, effects: found.effects };
  }

  /** Whether a token is `PUBLISH_TOKEN`, which owns every session. */
  isTheOne(token: string): boolean {
    return this.options.token !== undefined && sameSecret(token, this.options.token);
  }

  private hasExpired({ expires }: Listed): boolean {
    return expires !== undefined && Date.parse(expires) <= this.now();
  }

  /** Reads the file again. If it cannot be used, the tokens stay as they were, and the log says so. */
  private current(): Listed[] {
    if (this.now() - this.readAt >= LOOK_MS) {
      try {
        this.read();
      } catch (error) {
        const { message } = error as Error;
        this.log.error({ cause: message }, 'PUBLISHERS_FILE cannot be used: the tokens stay');
      }
    }
    return this.listed;
  }

  private read(): void {
    const { file } = this.options;
    this.readAt = this.now();
    if (file === undefined) return;
    try {
      const { mtimeMs, size, ino } = statSync(file);
      const version = `${mtimeMs} ${size} ${ino}`;
      if (version === this.version) return;
      this.listed = fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
      this.version = version;
    } catch (error) {
      throw new ConfigError([`PUBLISHERS_FILE: ${file}: ${whatIsWrong(error)}`]);
    }
  }
}

/** What is wrong with the file, without its values, which are secrets. */
function whatIsWrong(error: unknown): string {
  if (error instanceof z.ZodError) {
    const [issue] = error.issues;
    return `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim();
  }
  if (error instanceof SyntaxError) return 'is not JSON';
  return `cannot be read (${(error as NodeJS.ErrnoException).code})`;
}

function isTokenOf({ token, tokenSha256 }: Listed, given: string): boolean {
  if (token !== undefined) return sameSecret(given, token);
  const hash = createHash('sha256').update(given).digest('hex');
  return sameSecret(hash, (tokenSha256 ?? '').toLowerCase());
}
