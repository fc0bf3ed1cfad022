import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { keptAdminToken } from './admin-token.mjs';

const dataDir = mkdtempSync(join(tmpdir(), 'facecast-admin-'));
afterAll(() => rmSync(dataDir, { recursive: true }));

test('the admin token is made once, nobody can guess it, and only its user can read it', () => {
  const { token, file } = keptAdminToken(dataDir);
  expect(token).toMatch(/^[\w-]{32}$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  chmodSync(file, 0o644);
  expect(keptAdminToken(dataDir)).toEqual({ token, file });
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('an empty file counts as no token', () => {
  writeFileSync(join(dataDir, 'admin-token'), '\n');
  expect(keptAdminToken(dataDir).token).toMatch(/^[\w-]{32}$/);
});
