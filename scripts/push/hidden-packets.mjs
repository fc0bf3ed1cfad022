import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * Whether an edit list hides packets of a stream: an editor that cuts an MP4 without encoding it again
 * leaves the removed part in the file. Reads the file up to the first such packet.
 *
 * @param {import('./input.mjs').Input} input a file
 * @param {number} index of the stream
 * @returns {Promise<boolean>}
 */
export async function hidesPackets(input, index) {
  const entries = ['-select_streams', `${index}`, '-show_entries', 'packet=flags'];
  const args = ['-v', 'error', ...entries, '-of', 'csv=p=0', ...input.args];
  const ffprobe = spawn('ffprobe', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    // The flag D: to be decoded, but not shown.
    for await (const flags of createInterface({ input: ffprobe.stdout }))
      if (flags.includes('D')) return true;
    return false;
  } finally {
    ffprobe.kill('SIGKILL');
  }
}
