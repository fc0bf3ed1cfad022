import { fileURLToPath } from 'node:url';
import { SAFE_MESSAGE_BYTES } from '@facecast/shared/protocol/ingest-protocol';
import { ConfigError, readConfig } from '@facecast/shared/runtime/config';
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

const NO_WILDCARD =
  'no wildcard is understood: write out each origin, e.g. https://example.org,https://www.example.org';

const withoutSlash = (path: string) => path.replace(/\/$/, '');

const MIB = 1024 * 1024;

const schema = z.object({
  /** Port of the gateway's server; 0 takes any. */
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
  /** Token that publishers must know; unset: anyone who reaches the page may publish. */
  PUBLISH_TOKEN: z.string().max(1000).optional(),
  /** Path of a JSON file of publishers, each with a token, a name, an expiry and its allowed effects. */
  PUBLISHERS_FILE: z.string().optional(),
  /** Token of the operator, who may list and delete sessions. */
  ADMIN_TOKEN: z.string().min(16).max(1000).optional(),
  /** Whether effects that do not hide faces are refused. */
  REQUIRE_HIDDEN: z.stringbool().default(false),
  /** The address that people open, where it is not an IP address or localhost. */
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** The path under which a proxy serves this server; unset: that of PUBLIC_URL. */
  BASE_PATH: z
    .string()
    .regex(/^(\/[\w.~-]+)*\/?$/, 'a path such as /facecast')
    .transform(withoutSlash)
    .optional(),
  /** Origins whose pages may publish besides the gateway's own, and play with cookies; comma-separated. */
  ALLOWED_ORIGINS: z
    .string()
    .transform((list) => list.split(',').map((origin) => origin.trim()))
    .pipe(
      z.array(
        z
          .string()
          .refine((origin) => !origin.includes('*'), { error: NO_WILDCARD, abort: true })
          .pipe(z.url({ protocol: /^https?$/ }))
          .transform((url) => new URL(url).origin),
      ),
    )
    .optional(),
  /** Whether recordings are kept: of no session, of those that ask for it, of every one. */
  RECORD: z.enum(['0', 'ask', '1']).default('ask'),
  /** Most sessions that run at once, over all gateways. */
  MAX_SESSIONS: whole(1, 10_000).default(16),
  /** Largest binary message, in bytes. */
  MAX_CHUNK_BYTES: whole(SAFE_MESSAGE_BYTES, 64 * MIB).default(4 * MIB),
  /** The built page. */
  WEB_DIR: z.string().default(fileURLToPath(new URL('../../../web/dist', import.meta.url))),
  /** How many proxies stand in front, whose X-Forwarded-* headers are believed. */
  TRUST_PROXY: whole(0, 10).default(0),
});

export type GatewayConfig = z.output<typeof schema> & { BASE_PATH: string };

/** The gateway's settings from environment variables. */
export function gatewayConfig(
  env: Record<string, string | undefined> = process.env,
): GatewayConfig {
  const settings = readConfig(schema, env);
  const { PUBLIC_URL, BASE_PATH } = settings;
  const publicPath = withoutSlash(new URL(PUBLIC_URL ?? 'http://localhost').pathname);
  if (PUBLIC_URL !== undefined && BASE_PATH !== undefined && BASE_PATH !== publicPath)
    throw new ConfigError([`BASE_PATH: it is not the path of PUBLIC_URL, ${publicPath || '/'}`]);
  return { ...settings, BASE_PATH: BASE_PATH ?? publicPath };
}
