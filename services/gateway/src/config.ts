import { fileURLToPath } from 'node:url';
import { readConfig } from '@facecast/shared/runtime/config';
import {
  FPS,
  HLS_DIR,
  HOST,
  LOG_LEVEL,
  RECORDING_RETENTION_HOURS,
  RECORDINGS_DIR,
  REDIS_URL,
  RETENTION_MINUTES,
  RESUME_WINDOW_SECONDS,
} from '@facecast/shared/runtime/settings';
import { z } from 'zod';

const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

const MIB = 1024 * 1024;

const schema = z.object({
  /** Port of everything that the outside may reach; 0 takes any. */
  PORT: whole(0, 65535).default(4000),
  HOST,
  REDIS_URL,
  HLS_DIR,
  LOG_LEVEL,
  FPS,
  RECORDINGS_DIR,
  RECORDING_RETENTION_HOURS,
  RETENTION_MINUTES,
  RESUME_WINDOW_SECONDS,
  /** What publishers have to know; unset, whoever reaches the page may publish. */
  PUBLISH_TOKEN: z.string().max(1000).optional(),
  /** Several publishers, each with a token, a name, an expiry and the effects that it may use: JSON. */
  PUBLISHERS_FILE: z.string().optional(),
  /** What whoever runs the server has to know, to list sessions for one. */
  ADMIN_TOKEN: z.string().min(16).max(1000).optional(),
  /** Whether faces may never be shown: effects that do not hide them are refused. */
  REQUIRE_HIDDEN: z.stringbool().default(false),
  /** The address that people open, where it is not an IP address or localhost. */
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** Origins whose pages may publish besides the gateway's own, comma-separated. */
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
