import { availableParallelism } from 'node:os';
import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { root } from '../setup/paths.mjs';
import { FatalError } from './fatal-error.mjs';

const HIGHEST_PORT = 65535;
const MAX_DETECTORS = 64;

/**
 * @typedef {object} StartConfig
 * @property {string} host address that the gateway listens at; `*`: all
 * @property {number} port of the gateway; the other services' health ports follow it
 * @property {string} dataDir absolute
 * @property {string | undefined} framesDir absolute; undefined: a fresh one in memory
 * @property {string | undefined} hlsDir absolute; undefined: a fresh one in memory
 * @property {string} recordingsDir absolute
 * @property {string | undefined} redisUrl undefined: a private Redis
 * @property {number} detectorReplicas
 */

/**
 * Reads the environment and, if there is one, the file `.env`; the environment takes precedence.
 *
 * @returns {StartConfig}
 * @throws {FatalError} with one line for each bad key
 */
export function readStartConfig() {
  const dotEnv = join(root, '.env');
  if (existsSync(dotEnv)) process.loadEnvFile(dotEnv);
  /** @type {string[]} */
  const problems = [];
  /** @type {(key: string, fallback: number, min: number, max: number) => number} */
  const whole = (key, fallback, least, most) => {
    const text = process.env[key] || `${fallback}`;
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most)
      problems.push(`${key}: must be a whole number from ${least} to ${most}, not "${text}"`);
    return value;
  };
  /** @type {(key: string) => string | undefined} */
  const directory = (key) => (process.env[key] ? resolve(root, process.env[key]) : undefined);
  const spareCores = Math.max(1, availableParallelism() - 1);
  const detectorReplicas = whole('DETECTOR_REPLICAS', spareCores, 1, MAX_DETECTORS);
  const dataDir = resolve(root, process.env['DATA_DIR'] || 'data');
  const host = process.env['HOST'] || '127.0.0.1';
  if (host !== '*' && isIP(host) === 0)
    problems.push(`HOST: must be an IP address, or * for all, not "${host}"`);
  const config = {
    host,
    port: whole('PORT', 4000, 1, HIGHEST_PORT - 2 - detectorReplicas),
    dataDir,
    framesDir: directory('FRAMES_DIR'),
    hlsDir: directory('HLS_DIR'),
    recordingsDir: directory('RECORDINGS_DIR') ?? join(dataDir, 'recordings'),
    redisUrl: process.env['REDIS_URL'] || undefined,
    detectorReplicas,
  };
  if (problems.length > 0) throw new FatalError(problems.join('\n'));
  return config;
}
