import { applyEffect } from '@facecast/face-detector/effects/effect';
import { createFinder } from '@facecast/face-detector/finders/create-finder';
import { framesOf } from '@facecast/face-detector/i420';
import { scheduleAt } from '@facecast/face-detector/tracking/search-schedule';
import { trackRun } from '@facecast/face-detector/tracking/tracker';
import type { TrackerState } from '@facecast/face-detector/tracking/tracker-state';
import { DirectoryFrameStore } from '@facecast/shared/media/frame-store';
import { setImmediate as otherWork } from 'node:timers/promises';
import { HEIGHT, WIDTH } from '../support/clips.js';
import { yunetModel } from './faces/models.js';

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
const finder = await createFinder({
  FACE_FINDER: 'auto',
  YUNET_MODEL: yunetModel(),
  HAAR_CASCADE: '',
});
const schedule = scheduleAt(30);
let state: TrackerState | undefined;
let room: Buffer | undefined;
let marked = 0;
process.on('message', () => process.send?.(marked));

for (let n = 0; process.connected; n++, marked++) {
  const ref = { sessionId: task.clip, batch: n % task.batches, kind: 'decoded' } as const;
  room = (await store.read(ref, room))!;
  const frameCount = task.framesPerBatch;
  const pictures = framesOf(room, { frameCount, width: WIDTH, height: HEIGHT });
  const run = { firstFrame: n * frameCount, frames: pictures };
  const found = await trackRun(finder, run, state, { schedule, hiding: false });
  state = found.state;
  pictures.forEach((picture, i) => applyEffect('box', picture, found.frames[i]!));
  await store.write({ sessionId: own, batch: 0, kind: 'marked' }, room);
  await otherWork();
}
