import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { memory } from '../support/memory.js';

/** Makes a directory for the clips of a test run, each of which is made once. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // In memory, because a test looks for pictures on disks.
  const directory = await mkdtemp(join(memory, 'facecast-clips-'));
  project.provide('clipCache', directory);
  return () => rm(directory, { recursive: true, force: true });
}
