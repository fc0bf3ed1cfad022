import type { Size } from '@facecast/shared/media/size';
import { hidesFaces, type Effect } from '@facecast/shared/protocol/ingest-protocol';
import { createFinder } from '@facecast/face-detector/finders/create-finder';
import type { Turn } from '@facecast/face-detector/finders/sample';
import { wholeOf } from '@facecast/face-detector/geometry/rect';
import { framesOf, type I420Frame } from '@facecast/face-detector/i420';
import type { FrameFaces } from '@facecast/face-detector/tracking/frame-faces';
import { execute } from '@facecast/face-detector/tracking/execute';
import { isCovered, isOf, MIN_HEIGHT, Tally } from './coverage.js';
import { crowdFilm, hardFilms, type Film } from './films.js';
import { fit, markedPictures, type FittedPicture } from './marked-pictures.js';
import { yunetModel } from './models.js';
import { realFilm } from './real-film.js';
import { SearchedSession } from './searched-session.js';

export type FinderName = 'yunet' | 'blazeface' | 'haar';

/** One row of a table, in a process of its own: its CPU is all that is measured. */
export type Task = { finder: FinderName } & (
  | { kind: 'stills'; size: Size; effect: Effect; turn: Turn; only?: string }
  | { kind: 'alone'; size: Size }
  | { kind: 'films'; load: boolean }
  | { kind: 'crowd'; faces: number; effect: Effect }
);

const STILL_FRAMES = 45;
/** 1.4 s after its beginning a picture is looked at again. */
const LATE_FRAME = 42;
/** Under load two of three batches come too late to be searched. */
const SEARCHED_OF_THREE = 1;

const task = JSON.parse(process.argv[2]!) as Task;
const finder = await createFinder({
  ...{ FACE_FINDER: task.finder, YUNET_MODEL: yunetModel() },
  HAAR_CASCADE: '/usr/share/opencv4/haarcascades/haarcascade_frontalface_alt2.xml',
});
process.stdout.write(JSON.stringify(await rowsOf(task)));

async function rowsOf(task: Task): Promise<string[][]> {
  switch (task.kind) {
    case 'stills':
      return [await stills(task)];
    case 'alone':
      return [await alone(task.size)];
    case 'films':
      return films([...(await hardFilms()), await realFilm()], task.load);
    case 'crowd':
      return [await crowd(task.faces, task.effect)];
  }
}

/** Each picture stands still for 1.5 s, with hard cuts, as one session. */
async function stills({ size, effect, turn, only }: Task & { kind: 'stills' }) {
  const first = new Tally();
  const late = new Tally();
  let wrong = 0;
  const session = new SearchedSession(finder, effect, 30);
  const pictures = (await markedPictures()).filter(({ name }) => name.includes(only ?? ''));
  for (const picture of pictures) {
    const still = await fit(picture, size, turn);
    for (let n = 0; n < STILL_FRAMES; n += 3) {
      const copies = [0, 1, 2].map(() => copyOf(still.bytes, still));
      const found = (await session.next(copies))[0]!;
      const tally = n === 0 ? first : n === LATE_FRAME ? late : undefined;
      const isRight = (face: (typeof still.faces)[number]) =>
        hidesFaces(effect)
          ? isCovered(face, found, still)
          : found.faces!.some((one) => one.sure && isOf(face, one));
      for (const face of still.faces) tally?.add(face, isRight(face));
      if (n === LATE_FRAME) wrong += wrongOnes(found, still);
    }
  }
  const milliseconds = session.cpuMs / (pictures.length * STILL_FRAMES);
  return [
    ...first.cells,
    ...late.cells,
    (wrong / pictures.length).toFixed(2),
    milliseconds.toFixed(1),
  ];
}

/** What was found as a face and is none. */
function wrongOnes({ faces }: FrameFaces, { faces: marked, ignore }: FittedPicture): number {
  const isMarked = (one: { x: number; y: number; width: number; height: number }) =>
    [...marked, ...ignore].some(
      (face) =>
        isOf(face, one) ||
        (one.x < face.x + face.width &&
          face.x < one.x + one.width &&
          one.y < face.y + face.height &&
          face.y < one.y + one.height),
    );
  return faces!.filter((one) => one.sure && !isMarked(one)).length;
}

/** The finder alone: one look at the whole picture at its full size, nothing known. */
async function alone(size: Size): Promise<string[]> {
  const tally = new Tally();
  let wrong = 0;
  let cpuMs = 0;
  const pictures = await markedPictures();
  for (const picture of pictures) {
    const still = await fit(picture, size, 0);
    const frame = copyOf(still.bytes, size);
    const before = process.cpuUsage();
    const look = { region: wholeOf(size), scale: 1, turn: 0 as const };
    const found = (await execute(finder, frame, [look])).filter(
      ({ score }) => score >= finder.profile.faceScore,
    );
    const { user, system } = process.cpuUsage(before);
    cpuMs += (user + system) / 1000;
    for (const face of still.faces)
      tally.add(
        face,
        found.some((one) => isOf(face, one)),
      );
    const faces = found.map((one) => ({ ...one, id: 0, sure: true, margin: 0 }));
    wrong += wrongOnes({ searched: true, faces, unsearched: [] }, still);
  }
  const dashes = tally.cells.map(() => '');
  return [
    ...tally.cells,
    ...dashes,
    (wrong / pictures.length).toFixed(2),
    (cpuMs / pictures.length).toFixed(1),
  ];
}

/** In how many frames of each film a face from 24 pixels on is clear, and what a frame costs. */
async function films(all: readonly Film[], load: boolean): Promise<string[][]> {
  const rows: string[][] = [];
  for (const film of all) {
    const { name, size, frames, fps } = film;
    const session = new SearchedSession(finder, 'blur', fps);
    let clear = 0;
    let shown = 0;
    for (let first = 0; first < frames; first += session.schedule.run) {
      const count = Math.min(session.schedule.run, frames - first);
      const drawn = Array.from({ length: count }, (_, n) => film.draw(first + n));
      const isLate = load && (first / session.schedule.run) % 3 >= SEARCHED_OF_THREE;
      const found = await session.next(
        drawn.map(({ frame }) => frame),
        isLate,
      );
      for (const [n, { faces }] of drawn.entries())
        for (const face of faces.filter(({ height }) => height >= MIN_HEIGHT)) {
          shown++;
          if (!isCovered(face, found[n]!, size)) clear++;
        }
    }
    const perMinute = (clear * fps * 60) / frames;
    rows.push([
      ...[name, `${clear} of ${shown}`, perMinute.toFixed(0)],
      (session.cpuMs / frames).toFixed(1),
    ]);
  }
  return rows;
}

async function crowd(faces: number, effect: Effect): Promise<string[]> {
  const film = await crowdFilm(faces);
  const session = new SearchedSession(finder, effect, film.fps);
  // Drawn before: what drawing leaves to be collected is not the search's.
  const frames = Array.from({ length: film.frames }, (_, n) => film.draw(n).frame);
  for (let first = 0; first < film.frames; first += session.schedule.run) {
    if (first === film.fps) session.cpuMs = 0;
    await session.next(frames.slice(first, first + session.schedule.run));
  }
  return [(session.cpuMs / (film.frames - film.fps)).toFixed(2)];
}

function copyOf(bytes: Buffer, { width, height }: Size): I420Frame {
  return framesOf(Uint8Array.from(bytes), { frameCount: 1, width, height })[0]!;
}
