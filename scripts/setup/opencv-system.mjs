import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const prefixes = ['/usr', '/usr/local', '/opt/homebrew'];

/**
 * The directory of the system's OpenCV 4 headers that holds every module the detector needs.
 *
 * @returns {string | undefined}
 */
export function findOpenCvHeaders() {
  return prefixes
    .map((prefix) => join(prefix, 'include', 'opencv4'))
    .find((directory) =>
      ['core', 'imgproc', 'objdetect', 'dnn'].every((module) =>
        existsSync(join(directory, 'opencv2', `${module}.hpp`)),
      ),
    );
}

/**
 * The directory of the Haar cascades that OpenCV ships.
 *
 * @returns {string | undefined}
 */
export function findCascades() {
  return prefixes
    .map((prefix) => join(prefix, 'share', 'opencv4', 'haarcascades'))
    .find((directory) => existsSync(join(directory, 'haarcascade_frontalface_alt2.xml')));
}

/**
 * OpenCV's version as its headers state it, e.g. `4.6.0`.
 *
 * @param {string} headers
 */
export function openCvVersion(headers) {
  const text = readFileSync(join(headers, 'opencv2', 'core', 'version.hpp'), 'utf8');
  return ['MAJOR', 'MINOR', 'REVISION']
    .map((part) => new RegExp(`#define CV_VERSION_${part}\\s+(\\d+)`).exec(text)?.[1] ?? '?')
    .join('.');
}
