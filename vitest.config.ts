import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What they do is mostly to wait: for processes that start, and for video that comes at its own speed. */
const workers = Math.min(4, 2 * availableParallelism());

/** Browsers that fill two cores: two at once would wait for each other. */
const alone = [
  'tests/src/browser.test.ts',
  'tests/src/faults/page.test.ts',
  'tests/src/page/*.test.ts',
];
/** Those that fill one. */
const inPairs = ['tests/src/adapted-quality.test.ts', 'tests/src/background-tab.test.ts'];

/** What takes longest: begun last, one worker would still be at it when the others have nothing to do. */
const LONGEST = [
  ...['hidden', 'follow', 'extractor', 'decode-session', 'segment-session', 'session-stage'],
  ...['killed', 'hanging', 'pipeline', 'no-trace', 'sources', 'players'],
].map((name) => `/${name}.test.ts`);

/** The longest files of a project first, then the others in Vitest's order. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const projects = [...new Set(sorted.map(({ project }) => project))];
    const isLong = ({ moduleId }: TestSpecification) =>
      LONGEST.some((name) => moduleId.endsWith(name));
    return projects.flatMap((project) => {
      const own = sorted.filter((file) => file.project === project);
      return [...own.filter(isLong), ...own.filter((file) => !isLong(file))];
    });
  }
}

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
    sequence: { sequencer: LongestFirst },
    // Of all projects together.
    globalSetup: ['tests/src/setup/make-clip-cache.ts'],
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
          maxWorkers: workers,
          sequence: { groupOrder: 0 },
          // These, too.
          expect: { poll: { timeout: 240_000, interval: 20 } },
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          ...wholeSystems,
          name: 'system',
          include: ['tests/src/**/*.test.ts'],
          exclude: [...inPairs, ...alone],
          // Each is a whole system.
          maxWorkers: Math.min(3, workers),
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...wholeSystems,
          name: 'pairs',
          include: inPairs,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...wholeSystems,
          name: 'alone',
          include: alone,
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
