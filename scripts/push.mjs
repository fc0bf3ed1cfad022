import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { publish } from './push/publish.mjs';
import { openSource } from './push/source.mjs';
import { createStatusLine } from './push/status-line.mjs';

const USAGE = `npm run push -- SOURCE [options]

SOURCE is a media file, - for standard input, or an address:
  rtsp://, rtmp://, srt://    a camera or another live source; opened again whenever it breaks off
  http://, https://           a file, or a playlist (.m3u8)

  --url URL        where to publish (ws://localhost:4000/ingest)
  --effect EFFECT  box, blur, pixelate, black or none (box)
  --record         keep a recording, where the server lets publishers choose
  --private        for viewing by signed links only; one, good for a day, is printed
  --loop           begin again at the file's end, until Ctrl-C
  --token TOKEN    the server's PUBLISH_TOKEN, where it has one
  --help           print this`;
const HELP = 'npm run push -- --help tells how.';

try {
  const { help, loop, sources, ...where } = readArguments();
  const [name, ...more] = sources;
  if (help) console.log(USAGE);
  else if (name === undefined || more.length > 0)
    throw new Error(`Name one file or address to publish. ${HELP}`);
  else await push(name, loop, where);
} catch (error) {
  console.error(/** @type {Error} */ (error).message);
  process.exitCode = 1;
}

/**
 * @param {string} name
 * @param {boolean} loop
 * @param {Parameters<typeof publish>[2]} where
 */
async function push(name, loop, where) {
  const status = createStatusLine();
  try {
    const source = await openSource(name, { loop, tell: (line) => status.print(line) });
    process.once('SIGINT', () => {
      source.stop();
      process.once('SIGINT', () => process.exit(130));
    });
    process.once('SIGTERM', () => source.stop());
    await publish(source.streams(), status, where);
  } finally {
    status.close();
  }
}

/** @throws {Error} with one line */
function readArguments() {
  // A file whose name begins with a dash is no option.
  const args = process.argv
    .slice(2)
    .map((arg) => (/^-./.test(arg) && existsSync(arg) ? `./${arg}` : arg));
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        url: { type: 'string', default: 'ws://localhost:4000/ingest' },
        effect: { type: 'string', default: 'box' },
        record: { type: 'boolean', default: false },
        private: { type: 'boolean', default: false },
        loop: { type: 'boolean', default: false },
        token: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    return { ...values, sources: positionals };
  } catch (error) {
    const [words = ''] = /** @type {Error} */ (error).message.split(/\.\s/);
    throw new Error(`${words}. ${HELP}`, { cause: error });
  }
}
