import { readConfig } from '@facecast/shared/runtime/config';
import * as settings from '@facecast/shared/runtime/settings';
import { z } from 'zod';
import { SKIP_TARGETS, targetSeconds } from './hls/media-playlist.js';

const schema = z
  .object({
    ...settings.cadenceFields,
    REDIS_URL: settings.REDIS_URL,
    LOG_LEVEL: settings.LOG_LEVEL,
    OPS_PORT: settings.OPS_PORT,
    HLS_DIR: settings.HLS_DIR,
    FRAMES_DIR: settings.FRAMES_DIR,
    RETENTION_MINUTES: settings.RETENTION_MINUTES,
    RECORDINGS_DIR: settings.RECORDINGS_DIR,
    RECORDING_RETENTION_HOURS: settings.RECORDING_RETENTION_HOURS,
    /** Recordings stop if their disk has less free space than this, in MB. */
    RECORDING_MIN_FREE_MB: z.coerce.number().int().min(0).max(1_000_000).default(1000),
    SESSIONS_PER_REPLICA: settings.SESSIONS_PER_REPLICA,
    /** How much of the stream the live playlist lists, in seconds. */
    WINDOW_SECONDS: z.coerce.number().min(6).max(600).default(30),
  })
  .superRefine((given, context) => {
    settings.checkCadence(given, context);
    const least = SKIP_TARGETS * targetSeconds(settings.cadenceOf(given));
    if (given.WINDOW_SECONDS < least)
      context.addIssue({
        code: 'custom',
        path: ['WINDOW_SECONDS'],
        message: `must be at least ${least}: six segments, each rounded up to whole seconds`,
      });
  });

export type SegmenterConfig = z.output<typeof schema>;

/** @throws {import('@facecast/shared/runtime/config').ConfigError} */
export function readSegmenterConfig(env: NodeJS.ProcessEnv = process.env): SegmenterConfig {
  return readConfig(schema, env);
}
