import { resolve } from 'node:path';
import { z } from 'zod';

/**
 * Settings that more than one service reads. Each service's `config.ts` picks what it needs and adds
 * its own. `.env.example` lists all of them for people.
 */
const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

export const REDIS_URL = z.url({ protocol: /^rediss?$/ }).default('redis://127.0.0.1:6379');
export const LOG_LEVEL = z.enum(['debug', 'info', 'warn', 'error']).default('info');
/** An address to listen at; `*` is every one that the machine has, of IPv4 and IPv6. */
const address = z.union([z.literal('*'), z.ipv4(), z.ipv6()], 'an IP address, or * for all');

/** Address that health and metrics are served at. */
export const OPS_HOST = address.default('127.0.0.1');
/** Address that the page, the ingest, the playback and the API are served at. */
export const HOST = address.default('127.0.0.1');
/** Port of `/healthz`, `/readyz` and `/metrics` of every service but the gateway; 0 takes any. */
export const OPS_PORT = whole(0, 65535).default(9090);
/** Directory of playlists and media, a folder a session, in memory: it changes several times a second. */
export const HLS_DIR = z
  .string()
  .default('/dev/shm/facecast/hls')
  .transform((path) => resolve(path));
/** Directory of raw batches on their way, in memory: they show unhidden pictures. */
export const FRAMES_DIR = z
  .string()
  .default('/dev/shm/facecast/frames')
  .transform((path) => resolve(path));
/** Directory of recordings, a folder a session; on a disk. */
export const RECORDINGS_DIR = z
  .string()
  .default('data/recordings')
  .transform((path) => resolve(path));
/** How long a recording is kept after its session's end, in hours. */
export const RECORDING_RETENTION_HOURS = z.coerce.number().min(0).max(8760).default(24);
/** Frames a second of every session, whatever its source sends. */
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
export const SESSIONS_PER_REPLICA = whole(1, 64).default(8);

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
