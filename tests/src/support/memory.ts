import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** A directory in memory, as `npm start` and Compose use one; where there is none, one that is not. */
export const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
