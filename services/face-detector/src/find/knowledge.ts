import { z } from 'zod';
import { LOOKS_LENGTH } from './looks.js';
import { trackSchema } from './track.js';

/** More faces than this in one frame are not followed. */
export const MAX_FACES = 64;

const frameNumber = z.number().int().nonnegative();

/** What is known of a session's faces after one of its frames. It goes through Redis. */
export const knowledgeSchema = z.object({
  /** Size of the picture that it is about. */
  width: z.number(),
  height: z.number(),
  /** The last frame that was searched at all, that was as a whole, and that was so thoroughly. */
  searched: frameNumber,
  searchedWhole: frameNumber,
  searchedThoroughly: frameNumber,
  /** Whether what may be a face was looked for, too, as faces are hidden. */
  hidden: z.boolean(),
  /** The looks of the picture when it was last searched as a whole; where none are hidden, thoroughly. */
  looks: z.base64().length(LOOKS_LENGTH),
  /** The id of the next face that enters. */
  nextId: z.number().int().nonnegative(),
  tracks: z.array(trackSchema).max(MAX_FACES),
});
export type Knowledge = z.infer<typeof knowledgeSchema>;
