import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { cacheDirectory } from './paths.mjs';

/** YuNet-n for pictures of any size (Apache-2.0), at the commit that is named and as it is now. */
const REPOSITORY = 'https://github.com/ShiqiYu/libfacedetection.train/raw';
const ADDRESSES = ['0047ac24', 'master'].map(
  (commit) => `${REPOSITORY}/${commit}/onnx/yunet_n_dynamic.onnx`,
);
const SHA256 = '104ee26c71d5c270ce79a6b3dced91c91013260d29a6bf18f9296c5b8c4c2b12';
/** Nobody waits longer for it: faces are found without it, too. */
const MAX_MS = 5_000;

/**
 * Fetches the network that finds faces best, once a machine. Whatever goes wrong is told in one line,
 * and the face-detector does without.
 *
 * @param {{ directory?: string, addresses?: string[] }} [options] `addresses`: where to look, one
 *   after another
 */
export async function ensureYunetModel({ directory = cacheDirectory, addresses } = {}) {
  if (process.env['YUNET_MODEL']) return;
  const file = join(directory, 'yunet_n.onnx');
  if (existsSync(file) && isModel(readFileSync(file))) return;
  try {
    const model = await fetchModel(addresses ?? ADDRESSES);
    mkdirSync(directory, { recursive: true });
    // Another setup may be at it, too.
    writeFileSync(`${file}.${process.pid}`, model);
    renameSync(`${file}.${process.pid}`, file);
    console.log(`fetched YuNet, which finds faces best (${file})`);
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    console.log(`YuNet could not be fetched (${message}): faces are found by BlazeFace`);
  }
}

/** @param {string[]} addresses */
async function fetchModel(addresses) {
  const signal = AbortSignal.timeout(MAX_MS);
  let problem = 'no address';
  for (const address of addresses) {
    try {
      const response = await fetch(address, { signal });
      const bytes = Buffer.from(await response.arrayBuffer());
      if (isModel(bytes)) return bytes;
      problem = response.ok ? 'it is another file' : `HTTP ${response.status}`;
    } catch (error) {
      problem = /** @type {Error} */ (error).message;
    }
  }
  throw new Error(problem);
}

/** @param {Uint8Array} bytes */
function isModel(bytes) {
  return createHash('sha256').update(bytes).digest('hex') === SHA256;
}
