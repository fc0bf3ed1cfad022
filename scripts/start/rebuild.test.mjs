import { expect, test } from 'vitest';
import { affectedServices } from './rebuild.mjs';
import { SERVICES } from './services.mjs';

test.each([
  ['a source of a service', 'services/segmenter/src/hls/packager.ts', ['segmenter']],
  ['a source that all services share', 'shared/src/redis/queues.ts', SERVICES],
  ['a source of the page, which is served from disk', 'web/src/publish/main.ts', []],
  ['a test', 'shared/src/redis/queues.test.ts', undefined],
  ['a file that only tests use', 'services/gateway/src/testing/test-gateway.ts', undefined],
  ['a file that a build writes', 'web/dist/index.html', undefined],
  ["a file of the compiler's own", 'web/tsconfig.tsbuildinfo', undefined],
])('a change of %s restarts the services that use it', (_, path, services) => {
  expect(affectedServices(path)).toEqual(services);
});
