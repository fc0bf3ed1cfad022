import { applyEffect } from '@facecast/face-detector/effects/effect';
import { chooseFinder } from '@facecast/face-detector/find/choose';
import type { Knowledge } from '@facecast/face-detector/find/knowledge';
import { paceAt } from '@facecast/face-detector/find/pace';
import { searchRun } from '@facecast/face-detector/find/tracker';
import { framesOf } from '@facecast/face-detector/i420';
import { DirectoryFrameStore } from '@facecast/shared/frame-store';
import { setImmediate as otherWork } from 'node:timers/promises';
import { HEIGHT, WIDTH } from '../support/clips.js';

/** What a detector does, without queues: one clip's batches again and again. */
export interface AloneTask {
  framesDir: string;
  /** The session in it that has the clip. */
  clip: string;
  batches: number;
  framesPerBatch: number;
}

const task = JSON.parse(process.argv[2]!) as AloneTask;
const store = new DirectoryFrameStore(task.framesDir);
const own = `alone-${process.pid}`;
await store.openSession(own);
const finder = await chooseFinder({ FACE_FINDER: 'blazeface', HAAR_CASCADE: '' });
const pace = paceAt(30);
let known: Knowledge | undefined;
let room: Buffer | undefined;
let marked = 0;
process.on('message', () => process.send?.(marked));

for (let n = 0; process.connected; n++, marked++) {
  const ref = { sessionId: task.clip, batch: n % task.batches, kind: 'decoded' } as const;
  room = (await store.read(ref, room))!;
  const frameCount = task.framesPerBatch;
  const pictures = framesOf(room, { frameCount, width: WIDTH, height: HEIGHT });
  const run = { firstFrame: n * frameCount, pictures: pictures.map(({ y }) => y) };
  const found = await searchRun(finder, run, known, { pace, hidden: false });
  known = found.known;
  pictures.forEach((picture, i) => applyEffect('box', picture, found.sightings[i]!));
  await store.write({ sessionId: own, batch: 0, kind: 'marked' }, room);
  await otherWork();
}
