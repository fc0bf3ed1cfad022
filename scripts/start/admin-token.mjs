import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const BYTES = 24;

/**
 * The token of whoever runs the server: made at the first start, and kept where only its user can read it.
 *
 * @param {string} dataDir
 * @returns {{ token: string, file: string }}
 */
export function keptAdminToken(dataDir) {
  const file = join(dataDir, 'admin-token');
  try {
    const token = readFileSync(file, 'utf8').trim();
    // As it may have been made by hand.
    chmodSync(file, 0o600);
    if (token !== '') return { token, file };
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error;
  }
  const token = randomBytes(BYTES).toString('base64url');
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return { token, file };
}
