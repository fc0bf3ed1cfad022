import { parseArgs } from 'node:util';

export const USAGE = `npm run test:slow -- [OPTIONS] [FILTER…]

Runs the tests again and again on a machine that is made slow, and prints what failed how often.

  --cores N   CPUs that the tests may use, all of them together (all)
  --busy      beside one busy loop on each of these CPUs
  --runs N    how often (1)
  --table     a row for each test, not only for those that failed
  --seconds N longest time for all runs together: none is begun after it (no limit)
  FILTER      as for npm test: files whose path has this in it; -t TEXT for titles`;

/**
 * @typedef {object} SlowOptions
 * @property {number | undefined} cores
 * @property {boolean} busy
 * @property {number} runs
 * @property {boolean} table
 * @property {number} seconds
 * @property {string[]} filters
 */

/**
 * @param {string[]} args
 * @returns {SlowOptions}
 * @throws {Error} if an option is unknown, or its number unusable
 */
export function readSlowOptions(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      cores: { type: 'string' },
      busy: { type: 'boolean', default: false },
      runs: { type: 'string', default: '1' },
      table: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      t: { type: 'string', short: 't' },
    },
  });
  return {
    cores: values.cores === undefined ? undefined : count('--cores', values.cores),
    busy: values.busy,
    runs: count('--runs', values.runs),
    table: values.table,
    seconds: values.seconds === undefined ? Infinity : count('--seconds', values.seconds),
    filters: [...positionals, ...(values.t === undefined ? [] : ['-t', values.t])],
  };
}

/**
 * @param {string} name
 * @param {string} text
 */
function count(name, text) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1)
    throw new Error(`${name} wants a whole number of at least 1, not ${text}`);
  return number;
}
