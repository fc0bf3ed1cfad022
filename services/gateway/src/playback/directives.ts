import { z } from 'zod';

/** What a playlist request asks for beyond the playlist itself (rfc8216bis 6.2.5). */
export interface Directives {
  /** `_HLS_msn`. */
  msn?: number | undefined;
  /** `_HLS_part`. */
  part?: number | undefined;
  /** `_HLS_skip`. */
  skip?: Skip | undefined;
}

export type Skip = 'YES' | 'v2';

/** `_HLS_msn` and `_HLS_part` that are no decimal integers. */
export type Malformed = 'malformed';

const decimalInteger = z
  .string()
  .regex(/^\d{1,20}$/)
  .transform(Number)
  .optional();

const querySchema = z.object({
  _HLS_msn: decimalInteger,
  _HLS_part: decimalInteger,
  // Other values are ignored: they may only ask for a shorter answer.
  _HLS_skip: z.enum(['YES', 'v2']).optional().catch(undefined),
});

/** Reads the delivery directives of a request's query; ignores all other parameters. */
export function readDirectives(query: unknown): Directives | Malformed {
  const { success, data } = querySchema.safeParse(query);
  return success ? { msn: data._HLS_msn, part: data._HLS_part, skip: data._HLS_skip } : 'malformed';
}
