import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { cacheDirectory } from './paths.mjs';

/** Repository of YuNet-n for pictures of any size (Apache-2.0). */
const REPOSITORY = 'https://github.com/ShiqiYu/libfacedetection.train/raw';
const ADDRESSES = ['0047ac24', 'master'].map(
  (commit) => `${REPOSITORY}/${commit}/onnx/yunet_n_dynamic.onnx`,
);
const SHA256 = '104ee26c71d5c270ce79a6b3dced91c91013260d29a6bf18f9296c5b8c4c2b12';
/** Maximum time for the download, in milliseconds: faces are found without it, too. */
const MAX_MS = 5_000;

/**
 * Fetches the network that finds faces best, once for each machine. A failure is reported in one line, and
 * the face-detector uses BlazeFace.
 *
 * @param {{ directory?: string, addresses?: string[] }} [options] `addresses`: where to look, one after
 *   another
 */
export async function ensureYunetModel({ directory = cacheDirectory, addresses } = {}) {
  if (process.env['YUNET_MODEL']) return;
  const file = join(directory, 'yunet_n.onnx');
  if (existsSync(file) && isModel(readFileSync(file))) return;
  try {
    const model = await fetchModel(addresses ?? ADDRESSES);
    mkdirSync(directory, { recursive: true });
    // Under a name of its own, because another setup may be writing it, too.
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
