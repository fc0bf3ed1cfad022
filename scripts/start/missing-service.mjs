import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from '../setup/paths.mjs';
import { mainOf } from './services.mjs';

/** Settings that are neither printed nor written to a file if a person has set them. */
const SECRET = /TOKEN$|^REDIS_URL$/;
/** Values that a shell needs no quotes for. */
const PLAIN = /^[\w@%+=:,./-]+$/;

/**
 * What a person needs to run the service that was left out.
 *
 * @param {string} service
 * @param {Record<string, string>} settings that `npm start` decides; they take precedence over `env`
 * @param {NodeJS.ProcessEnv} env of `npm start`, with the content of `.env`
 * @returns {{ command: string, settings: Record<string, string>, unprinted: string[] }} `command`: for a
 *   POSIX shell, whole but for the secrets whose names are in `unprinted`, and with a debugger's port open;
 *   `settings`: the same environment
 */
export function missingService(service, settings, env) {
  const given = settingNames().filter((name) => env[name] && !(name in settings));
  const unprinted = given.filter((name) => SECRET.test(name));
  const all = Object.fromEntries([
    ...given.filter((name) => !SECRET.test(name)).map((name) => [name, env[name] ?? '']),
    ...Object.entries(settings),
  ]);
  const assignments = Object.entries(all).map(([name, value]) => `${name}=${quoted(value)}`);
  // Only its user may read its files, and it dumps no core, as under `npm start`.
  const program = ['node', '--inspect', '--enable-source-maps', relative(root, mainOf(service))];
  const command = [`cd ${quoted(root)} && umask 077 && ulimit -c 0 &&`, ...assignments, ...program];
  return { command: `(${command.join(' ')})`, settings: all, unprinted };
}

/**
 * Writes the environment of the missing service to a file that `.vscode/launch.json` names and only its
 * user may read; prints how to run the service.
 *
 * @param {string} dataDir
 * @param {string} service
 * @param {ReturnType<typeof missingService>} missing
 * @returns {() => void} removes the file
 */
export function tellMissingService(dataDir, service, { command, settings, unprinted }) {
  const file = join(dataDir, `${service}.env`);
  const lines = Object.entries(settings).map(([name, value]) => `${name}="${value}"\n`);
  rmSync(file, { force: true });
  writeFileSync(file, lines.join(''), { mode: 0o600 });
  console.log(
    `${service} is left out. This runs it, for a debugger at port 9229:\n\n  ${command}\n`,
  );
  if (unprinted.length > 0) console.log(`with ${unprinted.join(' and ')} as here, not printed`);
  console.log(`Visual Studio Code has an entry "${service}" for it, which reads ${file}`);
  return () => rmSync(file, { force: true });
}

/** The names of all settings, read from `.env.example` (`settings.test.mjs` keeps it complete). */
function settingNames() {
  const example = join(root, '.env.example');
  if (!existsSync(example)) return [];
  return [...readFileSync(example, 'utf8').matchAll(/^#([A-Z_]+)=/gm)].map(([, name = '']) => name);
}

/** @param {string} text */
function quoted(text) {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
