import { ConfigError } from '@facecast/shared/config';
import type { FaceFinder } from './face-finder.js';
import { HaarFinder } from './haar.js';

/** Which finder, and what it needs. */
export interface FinderSettings {
  FACE_FINDER: 'haar';
  HAAR_CASCADE: string;
}

/** Width and height of the picture that shows whether a finder works, in pixels. */
const PROBE_SIZE = 64;

/**
 * The finder that the settings name, proven by a first search.
 *
 * @throws {ConfigError} where it cannot search with these settings
 */
export async function chooseFinder(settings: FinderSettings): Promise<FaceFinder> {
  const finder = new HaarFinder(settings.HAAR_CASCADE);
  try {
    const pixels = new Uint8Array(PROBE_SIZE * PROBE_SIZE);
    await finder.findOthers({ pixels, width: PROBE_SIZE, height: PROBE_SIZE }, []);
  } catch (error) {
    throw new ConfigError([
      `HAAR_CASCADE: cannot search with ${settings.HAAR_CASCADE} (${(error as Error).message})`,
    ]);
  }
  return finder;
}
