import { fileURLToPath } from 'node:url';
import { ConfigError } from '@facecast/shared/config';
import { BlazeFaceFinder } from './blazeface.js';
import type { FaceFinder } from './face-finder.js';
import { HaarFinder } from './haar.js';

/** Which finder, and what it needs. */
export interface FinderSettings {
  FACE_FINDER: 'blazeface' | 'haar';
  HAAR_CASCADE: string;
}

/** The network comes with the service. */
export const BLAZEFACE_MODEL = fileURLToPath(
  new URL('../../models/blazeface-back.onnx', import.meta.url),
);

/** Width and height of the picture that shows whether a finder works, in pixels. */
const PROBE_SIZE = 64;

/**
 * The finder that the settings name, proven by a first search.
 *
 * @throws {ConfigError} where it cannot search with these settings
 */
export async function chooseFinder(settings: FinderSettings): Promise<FaceFinder> {
  try {
    const finder =
      settings.FACE_FINDER === 'haar'
        ? new HaarFinder(settings.HAAR_CASCADE)
        : await BlazeFaceFinder.load(BLAZEFACE_MODEL);
    const pixels = new Uint8Array(PROBE_SIZE * PROBE_SIZE);
    await finder.findAll({ pixels, width: PROBE_SIZE, height: PROBE_SIZE }, 'quick');
    return finder;
  } catch (error) {
    const what =
      settings.FACE_FINDER === 'haar'
        ? `HAAR_CASCADE: ${settings.HAAR_CASCADE}`
        : 'FACE_FINDER: blazeface';
    throw new ConfigError([`${what} cannot search (${(error as Error).message})`]);
  }
}
