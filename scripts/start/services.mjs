import { join } from 'node:path';
import { root } from '../setup/paths.mjs';

/** All services in the order in which they are stopped: each before those that use its output. */
export const SERVICES = ['gateway', 'frame-extractor', 'face-detector', 'segmenter'];

/** Address of health and metrics, whatever HOST is. */
const LOOPBACK = '127.0.0.1';

/**
 * One process of a service, and where its health is asked for.
 *
 * @typedef {object} Place
 * @property {string} name unique, with a number for each replica
 * @property {string} service
 * @property {string} host
 * @property {number} port
 */

/**
 * Plans one process for each service, and several for the face-detector. The gateway has the port that
 * people open; the health ports of the others follow it.
 *
 * @param {Pick<import('./config.mjs').StartConfig, 'host' | 'port' | 'detectorReplicas'>} config
 * @param {string} [without] a service that a person runs, in one process
 * @returns {Place[]}
 */
export function placeServices({ host, port, detectorReplicas }, without) {
  const detectorCount = without === 'face-detector' ? 1 : detectorReplicas;
  const detectors = Array.from({ length: detectorCount }, (_, index) => ({
    name: detectorCount === 1 ? 'face-detector' : `face-detector-${index + 1}`,
    service: 'face-detector',
    host: LOOPBACK,
    port: port + 3 + index,
  }));
  return [
    { name: 'gateway', service: 'gateway', host, port },
    { name: 'frame-extractor', service: 'frame-extractor', host: LOOPBACK, port: port + 1 },
    { name: 'segmenter', service: 'segmenter', host: LOOPBACK, port: port + 2 },
    ...detectors,
  ];
}

/**
 * The program of a service.
 *
 * @param {string} service
 */
export function mainOf(service) {
  return join(root, 'services', service, 'dist', 'main.js');
}

/**
 * The settings that `npm start` decides for a process; all others come from the environment.
 *
 * @param {Place} place
 * @param {{ host: string, port: number, recordingsDir: string, redisUrl: string, hlsDir: string, framesDir:
 *   string }} system
 * @returns {Record<string, string>}
 */
export function settingsOf(place, system) {
  return {
    REDIS_URL: system.redisUrl,
    HOST: system.host,
    PORT: `${system.port}`,
    // Who may open the page need not reach the services behind it.
    OPS_HOST: LOOPBACK,
    OPS_PORT: `${place.port}`,
    HLS_DIR: system.hlsDir,
    FRAMES_DIR: system.framesDir,
    RECORDINGS_DIR: system.recordingsDir,
  };
}
