import { fileURLToPath } from 'node:url';
import { readConfig } from '@facecast/shared/config';
import {
  FPS,
  HLS_DIR,
  LOG_LEVEL,
  RECORDING_RETENTION_HOURS,
  RECORDINGS_DIR,
  REDIS_URL,
  RESUME_WINDOW_SECONDS,
} from '@facecast/shared/settings';
import { z } from 'zod';

const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

const MIB = 1024 * 1024;

const schema = z.object({
  /** Port of everything that the outside may reach; 0 takes any. */
  PORT: whole(0, 65535).default(4000),
  REDIS_URL,
  HLS_DIR,
  LOG_LEVEL,
  FPS,
  RECORDINGS_DIR,
  RECORDING_RETENTION_HOURS,
  RESUME_WINDOW_SECONDS,
  /** What publishers have to know; unset, whoever reaches the page may publish. */
  PUBLISH_TOKEN: z.string().max(1000).optional(),
  /** Origins whose pages may publish, comma-separated; unset, only the gateway's own. */
  ALLOWED_ORIGINS: z
    .string()
    .transform((list) => list.split(',').map((origin) => origin.trim()))
    .pipe(z.array(z.url({ protocol: /^https?$/ }).transform((url) => new URL(url).origin)))
    .optional(),
  /** Whether recordings are kept: of no session, of those that ask for it, of every one. */
  RECORD: z.enum(['0', 'ask', '1']).default('ask'),
  /** Most sessions that run at once, over all gateways. */
  MAX_SESSIONS: whole(1, 10_000).default(16),
  /** Largest binary message, in bytes. */
  MAX_CHUNK_BYTES: whole(1024, 64 * MIB).default(4 * MIB),
  /** The built page. */
  WEB_DIR: z.string().default(fileURLToPath(new URL('../../../web/dist', import.meta.url))),
  /** How many proxies stand in front, whose X-Forwarded-* headers are believed. */
  TRUST_PROXY: whole(0, 10).default(0),
});

export type GatewayConfig = z.output<typeof schema>;

/** The gateway's settings from environment variables. */
export function gatewayConfig(
  env: Record<string, string | undefined> = process.env,
): GatewayConfig {
  return readConfig(schema, env);
}
