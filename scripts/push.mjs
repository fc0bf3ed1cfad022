import { parseArgs } from 'node:util';
import { startMedia } from './push/media.mjs';
import { publish } from './push/publish.mjs';

const USAGE = `npm run push -- FILE [options]
  --url URL        where to publish (ws://localhost:4000/ingest)
  --effect EFFECT  box, blur, pixelate, black or none (box)
  --record         keep a recording, where the server lets publishers choose
  --private        for viewing by signed links only; one, good for a day, is printed
  --loop           begin again at the file's end, until Ctrl-C
  --token TOKEN    the server's PUBLISH_TOKEN, where it has one`;

const { file, loop, ...where } = readArguments();
try {
  const media = await startMedia(file, { loop });
  process.once('SIGINT', () => {
    media.stop();
    process.once('SIGINT', () => process.exit(130));
  });
  process.once('SIGTERM', () => media.stop());
  await publish(media, where);
} catch (error) {
  console.error(/** @type {Error} */ (error).message);
  process.exitCode = 1;
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        url: { type: 'string', default: 'ws://localhost:4000/ingest' },
        effect: { type: 'string', default: 'box' },
        record: { type: 'boolean', default: false },
        private: { type: 'boolean', default: false },
        loop: { type: 'boolean', default: false },
        token: { type: 'string' },
      },
    });
    const [file, ...rest] = positionals;
    if (file === undefined || rest.length > 0) throw new Error('name one media file');
    return { ...values, file };
  } catch (error) {
    console.error(`${/** @type {Error} */ (error).message}\n\n${USAGE}`);
    return process.exit(2);
  }
}
