import type { Container } from './container.js';
import { MatroskaScanner } from './matroska-scanner.js';
import { Mp4Scanner } from './mp4-scanner.js';
import type { Scanner } from './scanner.js';

export function createScanner(container: Container): Scanner {
  return container === 'matroska' ? new MatroskaScanner() : new Mp4Scanner();
}
