import { z } from 'zod';
import { trackSchema } from './track.js';

/** Maximum number of faces that are followed. */
export const MAX_TRACKS = 256;

const cells = z.base64().transform((text): Uint8Array => Buffer.from(text, 'base64'));

/** The tracker's state after one of a session's frames. It is kept in Redis as text. */
export const trackerStateSchema = z.object({
  /** Size of the picture. */
  width: z.number(),
  height: z.number(),
  /** The newest frame that was searched. */
  searchedFrame: z.number().int().nonnegative(),
  /** Whether that frame was searched as thoroughly as hiding needs. */
  searchedForHiding: z.boolean(),
  /**
   * That frame's thumbnail; each cell as it was when it last changed; the views that have not searched it
   * since.
   */
  thumbnail: cells,
  reference: cells,
  pending: cells,
  /** The id of the next new face. */
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
