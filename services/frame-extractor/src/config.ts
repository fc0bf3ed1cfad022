import { readConfig } from '@facecast/shared/runtime/config';
import {
  cadenceFields,
  checkCadence,
  FRAMES_DIR,
  LOG_LEVEL,
  OPS_PORT,
  REDIS_URL,
  SESSIONS_PER_REPLICA,
} from '@facecast/shared/runtime/settings';
import { z } from 'zod';

/** Chroma is stored for squares of 2x2 pixels, so sides are even. */
const evenSide = z.coerce.number().int().min(16).max(4096).multipleOf(2);

const schema = z
  .object({
    REDIS_URL,
    FRAMES_DIR,
    OPS_PORT,
    LOG_LEVEL,
    SESSIONS_PER_REPLICA,
    ...cadenceFields,
    /** Largest output picture, in pixels; larger sources are scaled down to fit. */
    MAX_WIDTH: evenSide.default(1280),
    MAX_HEIGHT: evenSide.default(720),
    /** How far media that is sent faster than it plays may be ahead of a live camera, in seconds. */
    MAX_LEAD_SECONDS: z.coerce.number().min(0.5).max(86_400).default(2),
  })
  .superRefine(checkCadence);

/** Settings of the frame-extractor. */
export type Config = z.output<typeof schema>;

/** @throws {ConfigError} with one line for each key that has no usable value */
export function readFrameExtractorConfig(env = process.env): Config {
  return readConfig(schema, env);
}
