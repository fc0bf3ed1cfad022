import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const BYTES = 24;

/**
 * The admin token: made at the first start, and kept in a file that only its user can read.
 *
 * @param {string} dataDir
 * @returns {{ token: string, file: string }}
 */
export function keptAdminToken(dataDir) {
  const file = join(dataDir, 'admin-token');
  try {
    const token = readFileSync(file, 'utf8').trim();
    // The file may have been made by hand, with other permissions.
    chmodSync(file, 0o600);
    if (token !== '') return { token, file };
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error;
  }
  const token = randomBytes(BYTES).toString('base64url');
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return { token, file };
}
