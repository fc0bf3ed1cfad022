import { z } from 'zod';
import { trackSchema } from './track.js';

/** More faces than this in one frame are not followed. */
export const MAX_TRACKS = 256;

const cells = z.base64().transform((text): Uint8Array => Buffer.from(text, 'base64'));

/** What is known of a session's faces after one of its frames. It goes through Redis as text. */
export const trackerStateSchema = z.object({
  /** Size of the picture that it is about. */
  width: z.number(),
  height: z.number(),
  /** The newest frame that was searched. */
  searchedFrame: z.number().int().nonnegative(),
  /** Whether it was searched as thoroughly as hidden faces want it. */
  searchedForHiding: z.boolean(),
  /** That frame's thumbnail; each cell as it was when it last changed; the views that owe it a look. */
  thumbnail: cells,
  reference: cells,
  pending: cells,
  /** The id of the next face that enters. */
  nextId: z.number().int().nonnegative(),
  tracks: z.array(trackSchema).max(MAX_TRACKS),
});
export type TrackerState = z.output<typeof trackerStateSchema>;

/** The state as the text that `parseState` reads. */
export function serialiseState(state: TrackerState): string {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  const { thumbnail, reference, pending } = state;
  return JSON.stringify({
    ...state,
    ...{ thumbnail: text(thumbnail), reference: text(reference), pending: text(pending) },
  });
}

/** The state that was written as text; undefined if it cannot be read, perhaps of another version. */
export function parseState(text: string): TrackerState | undefined {
  try {
    return trackerStateSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
