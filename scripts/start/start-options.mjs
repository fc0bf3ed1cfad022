import { parseArgs } from 'node:util';
import { FatalError } from './fatal-error.mjs';
import { SERVICES } from './services.mjs';

const USAGE = `npm start -- [options]
  --without SERVICE  start all else, and print the command that runs this one: ${SERVICES.join(', ')}
  --dev              rebuild what changes, and restart the services that it is part of (npm run dev)`;

/**
 * @typedef {object} StartOptions
 * @property {string | undefined} without the service that a person runs, perhaps under a debugger
 * @property {boolean} dev whether sources are watched
 */

/**
 * Reads the arguments of `npm start`.
 *
 * @param {string[]} args
 * @returns {StartOptions}
 * @throws {FatalError} with the usage, if there is any other argument
 */
export function readOptions(args) {
  try {
    const { values } = parseArgs({
      args,
      options: { without: { type: 'string' }, dev: { type: 'boolean', default: false } },
    });
    const { without, dev } = values;
    if (without !== undefined && !SERVICES.includes(without))
      throw new Error(`--without: there is no service "${without}"`);
    return { without, dev };
  } catch (error) {
    throw new FatalError(`${/** @type {Error} */ (error).message}\n\n${USAGE}`);
  }
}
