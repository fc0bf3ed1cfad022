import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where YuNet's network is: `YUNET_MODEL`, or where the setup keeps it. */
export function yunetModel(): string {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return process.env['YUNET_MODEL'] || join(cache, 'facecast', 'yunet_n.onnx');
}

/** Whether YuNet can be measured here. */
export function hasYunet(): boolean {
  return existsSync(yunetModel());
}
