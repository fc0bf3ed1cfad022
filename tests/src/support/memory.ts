import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** A directory in memory, as `npm start` and Compose use; on disk if the machine has none. */
export const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
