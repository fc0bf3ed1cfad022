import { expect, test } from 'vitest';
import { readSlowOptions } from './options.mjs';
import { addRun, tableOf } from './summary.mjs';

/**
 * @param {string} status
 * @param {string} [why]
 */
const run = (status, why) => ({
  testResults: [
    {
      ...{ name: 'killed.test.ts', status, message: '' },
      assertionResults: [
        { fullName: 'the segmenter', status: 'passed', duration: 4000 },
        { fullName: 'the encoder', status, duration: 6000, failureMessages: why ? [why] : [] },
        { fullName: 'another', status: 'skipped' },
      ],
    },
  ],
});

test('a table says how often each test passed, how long it took, and why it failed last', () => {
  /** @type {Map<string, import('./summary.mjs').TestSummary>} */
  const tests = new Map();
  expect(addRun(tests, run('passed'))).toEqual([]);
  expect(addRun(tests, run('failed', 'Error: one frame twice\n  at line 1'))).toEqual([
    'the encoder',
  ]);
  const [, row, none] = tableOf(tests, false);
  expect(row?.trim().split(/ {2,}/)).toEqual([
    ...['1/2', '6.0', '6.0'],
    ...['the encoder', 'Error: one frame twice'],
  ]);
  expect(none).toBeUndefined();
  expect(tableOf(tests, true)).toHaveLength(3);
});

test('a file whose tests never began has failed, too', () => {
  const file = {
    name: 'killed.test.ts',
    status: 'failed',
    message: 'no Redis\n',
    assertionResults: [],
  };
  const tests = new Map();
  expect(addRun(tests, { testResults: [file] })).toEqual(['killed.test.ts']);
  expect(tableOf(tests, false).at(-1)).toContain('no Redis');
});

test('options are read, and a value that is no number is refused', () => {
  expect(
    readSlowOptions(['--cores', '1', '--runs', '5', '--busy', 'faults', '-t', 'encoder']),
  ).toEqual({
    ...{ cores: 1, runs: 5, busy: true, table: false, seconds: Infinity },
    filters: ['faults', '-t', 'encoder'],
  });
  expect(() => readSlowOptions(['--runs', 'many'])).toThrow('--runs wants a whole number');
  expect(() => readSlowOptions(['--quick'])).toThrow('--quick');
});
