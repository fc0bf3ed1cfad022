import { defineConfig } from 'vitest/config';

/** Whole systems that fill two cores: two at once would wait for each other, and time out. */
const alone = [
  'tests/src/adapted-quality.test.ts',
  'tests/src/background-tab.test.ts',
  'tests/src/browser.test.ts',
  'tests/src/faults/page.test.ts',
  'tests/src/low-latency.test.ts',
  'tests/src/page/*.test.ts',
];

const everywhere = {
  // Each worker gets a Redis of its own, which the files that it runs empty.
  globalSetup: ['tests/src/setup/start-redis.ts'],
};

const wholeSystems = {
  ...everywhere,
  // These bound what hangs: a machine with other work on it may be many times as slow.
  expect: { poll: { timeout: 240_000, interval: 100 } },
  testTimeout: 600_000,
  hookTimeout: 900_000,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...everywhere,
          name: 'units',
          include: [
            'shared/src/**/*.test.ts',
            'services/*/src/**/*.test.ts',
            'web/src/**/*.test.ts',
            'scripts/**/*.test.mjs',
          ],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
          // These, too.
          expect: { poll: { timeout: 60_000, interval: 20 } },
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
      {
        test: {
          ...wholeSystems,
          name: 'system',
          include: ['tests/src/**/*.test.ts'],
          exclude: alone,
          // What they do is mostly to wait for video that comes at its own speed.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...wholeSystems,
          name: 'alone',
          include: alone,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
