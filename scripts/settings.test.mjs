import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from './setup/paths.mjs';

/** @param {string} path */
const read = (path) => readFileSync(join(root, path), 'utf8');

/** @type {(text: string, pattern: RegExp) => string[]} */
const names = (text, pattern) => [
  ...new Set([...text.matchAll(pattern)].map(([, name = '']) => name)),
];

const shared = names(read('shared/src/runtime/settings.ts'), /^export const ([A-Z_]+) =/gm);
const own = ['gateway', 'frame-extractor', 'face-detector', 'segmenter'].flatMap((service) =>
  names(read(`services/${service}/src/config.ts`), /^\s+([A-Z][A-Z_]+):/gm),
);
const settings = [...new Set([...shared, ...own])];

/** Settings that `npm start` reads itself. */
const OF_START = ['DETECTOR_REPLICAS', 'DATA_DIR'];
/** Settings that the images decide, because they are about the inside of a container. */
const OF_IMAGES = [
  ...['HOST', 'PORT', 'OPS_HOST', 'OPS_PORT', 'REDIS_URL', 'PUBLISHERS_FILE'],
  ...['HLS_DIR', 'FRAMES_DIR', 'WEB_DIR', 'RECORDINGS_DIR', 'YUNET_MODEL'],
];

describe('settings', () => {
  test('.env.example lists every setting once, and nothing else', () => {
    const listed = [...read('.env.example').matchAll(/^#([A-Z_]+)=/gm)].map(([, name]) => name);
    expect(listed.toSorted()).toEqual([...settings, ...OF_START].toSorted());
  });

  test('docker compose passes every setting on that is not about the inside of a container', () => {
    const passed = names(read('docker-compose.yml'), /^\s+([A-Z_]+): \$\{\1:-\}$/gm);
    expect(passed.toSorted()).toEqual(
      settings.filter((name) => !OF_IMAGES.includes(name)).toSorted(),
    );
  });
});
