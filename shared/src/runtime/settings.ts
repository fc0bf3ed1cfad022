import { resolve } from 'node:path';
import { z } from 'zod';

/**
 * Settings that more than one service reads. Each service's `config.ts` picks what it needs and adds
 * its own. `.env.example` lists all of them for people.
 */
const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

/**
 * Matches a Redis URL whose password is not percent-encoded: the part before such a character would be
 * taken for the host, and be logged.
 */
const UNENCODED_PASSWORD = /^\w*:\/\/(?:[^/?#]*[/?#].*@|[^@]*%(?![\da-f]{2}).*@)/i;

export const REDIS_URL = z
  .string()
  .refine((url) => !UNENCODED_PASSWORD.test(url), {
    error:
      'the password has to be percent-encoded: # is %23, / is %2F, ? is %3F, @ is %40, % is %25',
    abort: true,
  })
  .pipe(z.url({ protocol: /^rediss?$/ }))
  .default('redis://127.0.0.1:6379');
export const LOG_LEVEL = z.enum(['debug', 'info', 'warn', 'error']).default('info');
/** An address to listen at; `*` for all IPv4 and IPv6 addresses of the machine. */
const address = z.union([z.literal('*'), z.ipv4(), z.ipv6()], 'an IP address, or * for all');

/** Address of the health and metrics servers. */
export const OPS_HOST = address.default('127.0.0.1');
/** Address of the gateway's server: the page, ingest, playback and API. */
export const HOST = address.default('127.0.0.1');
/** Port of `/healthz`, `/readyz` and `/metrics` of every service but the gateway; 0 takes any. */
export const OPS_PORT = whole(0, 65535).default(9090);
/**
 * Directory of playlists and media, one folder a session; in memory, because it changes several times a
 * second.
 */
export const HLS_DIR = z
  .string()
  .default('/dev/shm/facecast/hls')
  .transform((path) => resolve(path));
/** Directory of the frame store; in memory, because it has unhidden pictures. */
export const FRAMES_DIR = z
  .string()
  .default('/dev/shm/facecast/frames')
  .transform((path) => resolve(path));
/** Directory of recordings, one folder a session; on a disk. */
export const RECORDINGS_DIR = z
  .string()
  .default('data/recordings')
  .transform((path) => resolve(path));
/** How long a recording is kept after its session's end, in hours. */
export const RECORDING_RETENTION_HOURS = z.coerce.number().min(0).max(8760).default(24);
/** Frame rate of every session, whatever its source sends. */
export const FPS = whole(1, 60).default(30);
/** Duration of a batch and of an LL-HLS part, in seconds. */
export const PART_SECONDS = z.coerce.number().min(0.05).max(2).default(0.1);
/** Duration of an HLS segment, and of a group of pictures, in seconds. */
export const SEGMENT_SECONDS = z.coerce.number().min(0.5).max(10).default(1);
/** How long an ended session stays playable, in minutes. */
export const RETENTION_MINUTES = z.coerce.number().min(0).max(1440).default(10);
/** How long a vanished publisher may come back, in seconds. */
export const RESUME_WINDOW_SECONDS = whole(1, 300).default(15);
/** How many sessions one replica decodes or segments at once. */
export const SESSIONS_PER_REPLICA = whole(1, 64).default(16);

/** `FPS`, `PART_SECONDS` and `SEGMENT_SECONDS`, for a schema that needs frame counts from them. */
export const cadenceFields = { FPS, PART_SECONDS, SEGMENT_SECONDS };

type CadenceSettings = { FPS: number; PART_SECONDS: number; SEGMENT_SECONDS: number };

/** How a session's frames are grouped. All are whole numbers of frames. */
export interface Cadence {
  fps: number;
  framesPerBatch: number;
  framesPerSegment: number;
}

/** Refuses settings whose parts or segments would not be whole frames and whole parts. */
export function checkCadence(settings: CadenceSettings, context: z.RefinementCtx): void {
  const { framesPerBatch, framesPerSegment } = cadenceOf(settings);
  const refuse = (key: string, message: string) =>
    context.addIssue({ code: 'custom', path: [key], message });
  if (!isWhole(settings.FPS * settings.PART_SECONDS))
    refuse('PART_SECONDS', 'FPS x PART_SECONDS must be a whole number of frames');
  if (!isWhole(settings.FPS * settings.SEGMENT_SECONDS))
    refuse('SEGMENT_SECONDS', 'FPS x SEGMENT_SECONDS must be a whole number of frames');
  if (framesPerSegment % framesPerBatch !== 0)
    refuse('SEGMENT_SECONDS', 'SEGMENT_SECONDS must be a whole number of PART_SECONDS');
}

/** Frame counts of checked settings. */
export function cadenceOf(settings: CadenceSettings): Cadence {
  return {
    fps: settings.FPS,
    framesPerBatch: Math.round(settings.FPS * settings.PART_SECONDS),
    framesPerSegment: Math.round(settings.FPS * settings.SEGMENT_SECONDS),
  };
}

function isWhole(value: number): boolean {
  return value >= 1 - 1e-9 && Math.abs(value - Math.round(value)) < 1e-9;
}
