import { join } from 'node:path';
import { root } from '../setup/paths.mjs';

/** In the order in which they are stopped: each before the ones that take over its work. */
export const SERVICES = ['gateway', 'frame-extractor', 'face-detector', 'segmenter'];

/** Where health and metrics are, however wide the page is open. */
const LOOPBACK = '127.0.0.1';

/**
 * One process of a service, and where its health is asked for.
 *
 * @typedef {object} Place
 * @property {string} name tells replicas apart
 * @property {string} service
 * @property {string} host
 * @property {number} port
 */

/**
 * One process for each service, and several detectors. The gateway has the port that people open;
 * the others' health ports follow it.
 *
 * @param {Pick<import('./config.mjs').StartConfig, 'host' | 'port' | 'detectorReplicas'>} config
 * @param {string} [without] a service that somebody else runs, in one process
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
 * What `npm start` decides for a process, as settings; all else it takes from the environment.
 *
 * @param {Place} place
 * @param {{ host: string, port: number, recordingsDir: string, redisUrl: string, hlsDir: string, framesDir: string }} system
 * @returns {Record<string, string>}
 */
export function settingsOf(place, system) {
  return {
    REDIS_URL: system.redisUrl,
    HOST: system.host,
    PORT: `${system.port}`,
    // Whoever may reach the page has nothing to look for at the services behind it.
    OPS_HOST: LOOPBACK,
    OPS_PORT: `${place.port}`,
    HLS_DIR: system.hlsDir,
    FRAMES_DIR: system.framesDir,
    RECORDINGS_DIR: system.recordingsDir,
  };
}
