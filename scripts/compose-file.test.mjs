import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './setup/paths.mjs';

test('two checkouts share no container, volume, network or image under docker compose', () => {
  const file = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
  // At the top level, in a volume or in a network, `name` would replace the name with the project's prefix.
  expect(file).not.toMatch(/^\s*(name|container_name|external):/m);
  const built = [...file.matchAll(/^ {2}([\w-]+):\n(?: {4}.*\n|\n)*? {4}build:/gm)];
  expect(built.map(([, service]) => service)).toHaveLength(4);
  // With a fixed image name, one checkout would run what another has built.
  expect([...file.matchAll(/^\s*image: (.*)$/gm)].map(([, image]) => image)).toEqual(['redis:8.0']);
});
