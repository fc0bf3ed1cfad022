import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '@facecast/shared/runtime/config';
import { FPS, FRAMES_DIR, LOG_LEVEL, OPS_PORT, REDIS_URL } from '@facecast/shared/runtime/settings';
import { z } from 'zod';
import { isCascadeFile } from './finders/haar.js';

/** Directory of the cascades of Debian's and Ubuntu's package opencv-data. */
const CASCADES_DIR = '/usr/share/opencv4/haarcascades';

const schema = z.object({
  REDIS_URL,
  FRAMES_DIR,
  OPS_PORT,
  LOG_LEVEL,
  FPS,
  FACE_FINDER: z.enum(['auto', 'yunet', 'blazeface', 'haar']).default('auto'),
  /** Path of YuNet's network. */
  YUNET_MODEL: z
    .string()
    .refine(existsSync, { error: ({ input }) => `there is no file ${String(input)}` })
    .optional(),
  /** The name of a cascade of opencv-data, or the path of any; becomes a path. */
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
export type Config = z.output<typeof schema> & { YUNET_MODEL: string };

/** @throws {ConfigError} with one line for each key that has no usable value */
export function readFaceDetectorConfig(env = process.env): Config {
  const config = readConfig(schema, env);
  return { ...config, YUNET_MODEL: config.YUNET_MODEL ?? cachedYunetModel(env) };
}

/** Path at which `npm run setup` keeps YuNet's network; the file may be missing. */
function cachedYunetModel(env: NodeJS.ProcessEnv): string {
  const cache = env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(cache, 'facecast', 'yunet_n.onnx');
}
