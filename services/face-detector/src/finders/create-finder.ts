import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '@facecast/shared/runtime/config';
import { BlazeFaceFinder } from './blazeface.js';
import type { FaceFinder } from './face-finder.js';
import { HaarFinder } from './haar.js';
import { YuNetFinder } from './yunet.js';

/** Settings that choose a finder, and what it needs. */
export interface FinderSettings {
  FACE_FINDER: 'auto' | 'yunet' | 'blazeface' | 'haar';
  /** Path of YuNet's network. */
  YUNET_MODEL: string;
  /** Path of a cascade. */
  HAAR_CASCADE: string;
}

/** Path of BlazeFace's network, which comes with the service. */
export const BLAZEFACE_MODEL = fileURLToPath(
  new URL('../../models/blazeface-back.onnx', import.meta.url),
);

/** Width and height of the picture that shows whether a finder works, in pixels. */
const PROBE_SIZE = 64;

/**
 * Creates the finder that the settings name, and tests it with a first search. `auto` is YuNet if its file
 * exists, else BlazeFace.
 *
 * @throws {ConfigError} if it cannot search with these settings
 */
export async function createFinder(settings: FinderSettings): Promise<FaceFinder> {
  const { FACE_FINDER: name, YUNET_MODEL, HAAR_CASCADE } = settings;
  const chosen = name === 'auto' ? (existsSync(YUNET_MODEL) ? 'yunet' : 'blazeface') : name;
  try {
    const finder = await load(chosen, settings);
    const planes = Array.from({ length: 3 }, () => Buffer.alloc(PROBE_SIZE ** 2));
    await finder.detect({ planes, width: PROBE_SIZE, height: PROBE_SIZE });
    return finder;
  } catch (error) {
    const what = {
      yunet: `YUNET_MODEL: ${YUNET_MODEL}`,
      blazeface: 'FACE_FINDER: blazeface',
      haar: `HAAR_CASCADE: ${HAAR_CASCADE}`,
    }[chosen];
    throw new ConfigError([`${what} cannot search (${(error as Error).message})`]);
  }
}

async function load(
  name: 'yunet' | 'blazeface' | 'haar',
  { YUNET_MODEL, HAAR_CASCADE }: FinderSettings,
): Promise<FaceFinder> {
  switch (name) {
    case 'yunet':
      return YuNetFinder.load(YUNET_MODEL);
    case 'blazeface':
      return BlazeFaceFinder.load(BLAZEFACE_MODEL);
    case 'haar':
      return new HaarFinder(HAAR_CASCADE);
  }
}
