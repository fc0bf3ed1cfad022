import { homedir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '@facecast/shared/config';
import { FPS, FRAMES_DIR, LOG_LEVEL, OPS_PORT, REDIS_URL } from '@facecast/shared/settings';
import { z } from 'zod';
import { isCascadeFile } from './finders/haar.js';

/** Where the cascades of Debian's and Ubuntu's package opencv-data are. */
const CASCADES_DIR = '/usr/share/opencv4/haarcascades';

/** Where `npm run setup` keeps YuNet's network. */
const CACHED_YUNET_MODEL = join(homedir(), '.cache', 'facecast', 'yunet_n.onnx');

const schema = z.object({
  REDIS_URL,
  FRAMES_DIR,
  OPS_PORT,
  LOG_LEVEL,
  FPS,
  FACE_FINDER: z.enum(['auto', 'yunet', 'blazeface', 'haar']).default('auto'),
  /** Where YuNet's network is, if it is there. */
  YUNET_MODEL: z.string().min(1).default(CACHED_YUNET_MODEL),
  /** A cascade of opencv-data by its name, or the path of any; becomes a path. */
  HAAR_CASCADE: z
    .string()
    .default('haarcascade_frontalface_alt2')
    .transform((given) => (given.includes('/') ? given : join(CASCADES_DIR, `${given}.xml`)))
    .refine(isCascadeFile, {
      error: ({ input }) =>
        `there is no cascade ${String(input)} (Debian and Ubuntu: package opencv-data)`,
    }),
});

/** Settings of the face-detector. */
export type Config = z.output<typeof schema>;

/** @throws {ConfigError} with one line for each key that has no usable value */
export function readFaceDetectorConfig(env = process.env): Config {
  return readConfig(schema, env);
}
