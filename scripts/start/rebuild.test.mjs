import { expect, test } from 'vitest';
import { affectedServices } from './rebuild.mjs';
import { SERVICES } from './services.mjs';

test.each([
  ['a source of a service', 'services/segmenter/src/hls/packager.ts', ['segmenter']],
  ['a source that all share', 'shared/src/redis/queues.ts', SERVICES],
  ['a source of the page, which is served from the disk', 'web/src/publish/main.ts', []],
  ['a test', 'shared/src/redis/queues.test.ts', undefined],
  ['what only tests use', 'services/gateway/src/testing/test-gateway.ts', undefined],
  ['what a build writes', 'web/dist/index.html', undefined],
  ['what a compiler notes', 'web/tsconfig.tsbuildinfo', undefined],
])('a change of %s restarts whom it concerns', (_, path, services) => {
  expect(affectedServices(path)).toEqual(services);
});
