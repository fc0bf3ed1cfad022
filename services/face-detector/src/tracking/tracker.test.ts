import { describe, expect, test } from 'vitest';
import { iou } from '../geometry/rect.js';
import { BlobFinder, drawBlobs, type Blob } from '../testing/blob-finder.js';
import type { FrameFace } from './frame-faces.js';
import { scheduleAt } from './search-schedule.js';
import { trackRun } from './tracker.js';
import { MAX_TRACKS, parseState, serialiseState, type TrackerState } from './tracker-state.js';
import { unsearchedFaces } from './unsearched.js';

const SCHEDULE = scheduleAt(30);
const SIZE = { width: 640, height: 480 };
/** Samples of the whole picture, with their mirrored borders. */
const FULL = '672x512';
const QUICK = '352x272';
const FULL_LYING = '512x672';

const face = (x: number, more: Partial<Blob> = {}): Blob => ({
  ...{ x, y: 100, width: 60, height: 80 },
  ...more,
});
const ada = face(100);
const bea = face(400);
/** Its head lies to the left. */
const lying: Blob = { x: 300, y: 300, width: 80, height: 60 };

/** Searches run after run of three frames, from frame 0 on, as one session. */
class Session {
  readonly finder = new BlobFinder();
  state: TrackerState | undefined;
  frame = 0;
  constructor(readonly hiding = false) {}

  /** The faces of a run whose frames show these blobs; the last is for all that are left. */
  async next(...shown: Blob[][]): Promise<FrameFace[][]> {
    return this.nextFrames(
      Array.from({ length: 3 }, (_, n) => drawBlobs(shown[n] ?? shown.at(-1) ?? [], SIZE)),
    );
  }

  async nextFrames(frames: ReturnType<typeof drawBlobs>[]): Promise<FrameFace[][]> {
    this.finder.asked = [];
    const run = { firstFrame: this.frame, frames };
    const wanted = { schedule: SCHEDULE, hiding: this.hiding };
    const found = await trackRun(this.finder, run, this.state, wanted);
    this.state = found.state;
    this.frame += 3;
    expect(found.frames).toHaveLength(frames.length);
    return found.frames.map(({ faces }) => faces!);
  }

  /** Runs until every view has had its turn. */
  async settle(...shown: Blob[][]): Promise<FrameFace[][]> {
    let faces: FrameFace[][] = [];
    for (let run = 0; run < 24; run++) faces = await this.next(...shown);
    return faces;
  }
}

const sure = (faces: readonly FrameFace[]) => faces.filter((one) => one.sure);
const isAt = (blob: Blob) => (one: FrameFace) => iou(one, blob) > 0.7;

describe('what is searched', () => {
  test('of a new session the first frame, for small faces too, before anything is shown', async () => {
    const session = new Session(true);
    const [first] = await session.next([ada, face(300, { width: 12, height: 16 })]);
    expect(session.finder.asked).toContain(FULL);
    expect(sure(first!)).toHaveLength(2);
  });

  test('of a new scene its first frame, wherever in the run it is', async () => {
    for (const at of [0, 1, 2]) {
      const session = new Session(true);
      await session.settle([ada]);
      const crowd = Array.from({ length: 20 }, (_, n) =>
        face(15 + 125 * (n % 5), { y: 10 + 118 * Math.floor(n / 5) }),
      );
      const shown = [0, 1, 2].map((n) => (n < at ? [ada] : crowd));
      const frames = await session.next(...shown);
      expect(session.finder.asked).toContain(FULL);
      for (const [n, faces] of frames.entries())
        for (const blob of shown[n]!) expect(faces.some(isAt(blob))).toBe(true);
    }
  });

  test('nothing, once all views have seen a picture that stands still', async () => {
    const session = new Session(true);
    const before = await session.settle([ada, bea]);
    const after = await session.next([ada, bea]);
    expect(session.finder.asked).toEqual([]);
    expect(after.map((faces) => sure(faces).length)).toEqual([2, 2, 2]);
    expect(after[0]!.map(({ id }) => id)).toEqual(before[0]!.map(({ id }) => id));
  });

  test('only the surroundings of a face that moves', async () => {
    const session = new Session();
    await session.settle([ada]);
    const frames = await session.next([face(104)], [face(108)], [face(112)]);
    const pixels = session.finder.asked.map((size) => size.split('x').map(Number));
    expect(pixels.every(([width, height]) => width! * height! < 30_000)).toBe(true);
    expect(frames.every((faces, n) => faces.some(isAt(face(104 + 4 * n))))).toBe(true);
  });

  test('all of the picture at once where that costs less than each face by itself', async () => {
    const crowd = (by: number) =>
      Array.from({ length: 30 }, (_, n) =>
        face(10 + 100 * (n % 6) + by, {
          ...{ y: 10 + 92 * Math.floor(n / 6), width: 26, height: 34 },
        }),
      );
    const session = new Session();
    await session.settle(crowd(0));
    const frames = await session.next(crowd(3));
    expect(session.finder.asked.length).toBeLessThan(4);
    expect(session.finder.asked).toContain(QUICK);
    expect(sure(frames.at(-1)!)).toHaveLength(30);
  });

  test('for heads that lie to a side or hang down, within a second', async () => {
    const session = new Session(true);
    for (let run = 0; run < 10; run++) await session.next([ada, lying]);
    const frames = await session.next([ada, lying]);
    expect(sure(frames[0]!).some(isAt(lying))).toBe(true);
    const turned = session.state!.tracks.find(({ turn }) => turn !== 0);
    expect(turned).toBeDefined();
  });

  test('once it is known how a head lies, for small ones that lie like it', async () => {
    const session = new Session(true);
    const small: Blob = { x: 500, y: 60, width: 12, height: 8 };
    const asked: string[] = [];
    for (let run = 0; run < 16; run++) {
      await session.next([lying, small]);
      asked.push(...session.finder.asked);
    }
    expect(asked).toContain(FULL_LYING);
  });

  test('and a lying head of which a part was taken for another is covered as a whole', async () => {
    const session = new Session(true);
    session.finder.seesEars = true;
    for (let run = 0; run < 10; run++) await session.next([lying]);
    const frames = await session.next([lying]);
    expect(sure(frames[0]!).filter(isAt(lying))).toHaveLength(1);
  });
});

describe('where the faces of a run are', () => {
  test('more than sixty faces are all covered from the first frame on', async () => {
    const crowd = Array.from({ length: 70 }, (_, n) =>
      face(8 + 62 * (n % 10), { y: 8 + 66 * Math.floor(n / 10), width: 20, height: 26 }),
    );
    for (const faces of await new Session(true).next(crowd)) expect(sure(faces)).toHaveLength(70);
  });

  test('one that moves is in each frame on its way from one search to the next', async () => {
    const session = new Session();
    for (const x of [100, 112, 124]) await session.next([face(x)]);
    const frames = await session.next([face(128)], [face(132)], [face(136)]);
    frames.forEach((faces, n) => expect(Math.abs(faces[0]!.x - 128 - 4 * n)).toBeLessThan(4));
  });

  test('one that stands still does not move, although its picture is unsteady', async () => {
    const session = new Session();
    const xs: number[] = [];
    for (let run = 0; run < 12; run++)
      for (const faces of await session.next([face(100 + (run % 2))])) xs.push(faces[0]!.x);
    const moves = xs.slice(9).map((x, n) => Math.abs(x - xs[n + 8]!));
    expect(Math.max(...moves)).toBeLessThan(1);
  });

  test('the id of a face stays, also while two pass each other; a new face gets a new one', async () => {
    const session = new Session();
    const at = (n: number) => [face(60 + 7 * n), face(420 - 7 * n, { y: 200 })];
    const [start] = await session.next(at(0), at(1), at(2));
    for (let n = 3; n < 48; n += 3) await session.next(at(n), at(n + 1), at(n + 2));
    const [end] = await session.next([...at(48), face(300, { y: 350 })]);
    const idOf = (faces: FrameFace[], y: number) =>
      faces.find((one) => Math.abs(one.y - y) < 30)?.id;
    expect(idOf(end!, 100)).toBe(idOf(start!, 100));
    expect(idOf(end!, 200)).toBe(idOf(start!, 200));
    const [later] = await session.next([...at(48), face(300, { y: 350 })]);
    expect(new Set(later!.map(({ id }) => id)).size).toBe(later!.length);
  });

  test('one that is lost goes on for half a second, then it is let go', async () => {
    const session = new Session();
    await session.settle([ada]);
    const counts: number[] = [];
    for (let run = 0; run < 8; run++)
      for (const faces of await session.next([])) counts.push(sure(faces).length);
    const gone = counts.indexOf(0);
    expect(gone).toBeGreaterThanOrEqual(SCHEDULE.hold - 3);
    expect(gone).toBeLessThanOrEqual(SCHEDULE.hold + 3);
    expect(counts.slice(gone)).toEqual(Array(24 - gone).fill(0));
  });

  test('no face is there twice, if two known ones become one', async () => {
    const session = new Session();
    await session.settle([face(100), face(170)]);
    for (let run = 0; run < 7; run++) await session.next([face(130)]);
    const [first] = await session.next([face(130)]);
    expect(sure(first!)).toHaveLength(1);
  });

  test('what only may be a face is hidden, and called none', async () => {
    const doubtful = face(100, { doubtful: true });
    expect((await new Session().next([doubtful])).flat()).toEqual([]);
    for (const faces of await new Session(true).next([doubtful])) {
      expect(faces.some(isAt(doubtful))).toBe(true);
      expect(sure(faces)).toEqual([]);
    }
  });

  test('of the scene before a cut none is taken for one of the new scene', async () => {
    const session = new Session();
    await session.settle([ada]);
    const other = drawBlobs([face(104, { doubtful: true })], SIZE);
    other.y.pixels.forEach((luma, at) => {
      if (luma < 200) other.y.pixels[at] = (at % 64) * 3;
    });
    const frames = await session.nextFrames([other, other, other]);
    expect(frames.flatMap(sure)).toEqual([]);
  });

  test('there are never more than the limit', async () => {
    const session = new Session(true);
    const dots = Array.from({ length: 400 }, (_, n) =>
      face(6 + 31 * (n % 20), { y: 6 + 23 * Math.floor(n / 20), width: 8, height: 12 }),
    );
    await session.next(dots);
    expect(session.state!.tracks).toHaveLength(MAX_TRACKS);
  });
});

describe('faces that are hidden', () => {
  test('one that is in a single frame is covered in that frame', async () => {
    for (const at of [0, 1, 2]) {
      const session = new Session(true);
      await session.settle([]);
      const shown = [0, 1, 2].map((n) => (n === at ? [ada] : []));
      const frames = await session.next(...shown);
      expect(frames[at]!.some(isAt(ada))).toBe(true);
    }
  });

  test('one that turns back between two searches is covered where it was', async () => {
    const session = new Session(true);
    await session.settle([ada]);
    const frames = await session.next([face(190)], [face(250)], [face(110)]);
    expect(frames[0]!.some(isAt(face(190)))).toBe(true);
    expect(frames[1]!.some(isAt(face(250)))).toBe(true);
  });

  test('one that enters is covered in the frames of its run before it was found', async () => {
    const session = new Session(true);
    await session.settle([]);
    for (const faces of await session.next([bea]))
      expect(faces.some((one) => one.x - one.margin < 402 && one.margin >= 0)).toBe(true);
  });

  test('one that is lost stays covered for longer, over a growing area, but is called none', async () => {
    const session = new Session(true);
    await session.settle([ada]);
    let margin = 0;
    for (let run = 1; run <= 9; run++) {
      const [, , last] = await session.next([]);
      const [one] = last!;
      expect(one!.margin).toBeGreaterThanOrEqual(margin);
      margin = one!.margin;
      if (3 * run > SCHEDULE.hold) expect(one!.sure).toBe(false);
    }
    expect(margin).toBeGreaterThan(40);
  });

  test('when hiding begins the first frame is searched as that of a new session', async () => {
    const outlined = new Session();
    await outlined.settle([ada, face(300, { doubtful: true })]);
    const hidden = new Session(true);
    Object.assign(hidden, { state: outlined.state, frame: outlined.frame });
    const [first] = await hidden.next([ada, face(300, { doubtful: true })]);
    expect(hidden.finder.asked).toContain(FULL);
    expect(first).toHaveLength(2);
  });
});

describe('what one replica knows of a session', () => {
  test('another one goes on with, over Redis, and it is not changed by that', async () => {
    const session = new Session(true);
    await session.settle([ada]);
    const before = serialiseState(session.state!);
    const other = new Session(true);
    Object.assign(other, { state: parseState(before), frame: session.frame });
    const kept = session.state;
    const direct = await session.next([face(108)]);
    expect(await other.next([face(108)])).toEqual(direct);
    expect(serialiseState(kept!)).toBe(before);
  });

  test('of a later run is as good as of an earlier one', async () => {
    const session = new Session();
    session.frame = 9;
    await session.settle([ada]);
    session.frame -= 6;
    const frames = await session.next([ada]);
    expect(frames.map((faces) => faces.map(({ id }) => id))).toEqual([[0], [0], [0]]);
  });

  test('says nothing of a picture of another size, nor after half a second', async () => {
    const session = new Session();
    await session.settle([ada]);
    session.frame += SCHEDULE.hold + 1;
    await session.next([bea]);
    expect(session.finder.asked).toContain(FULL);
    const upright = drawBlobs([], { width: 480, height: 640 });
    const frames = await session.nextFrames([upright, upright, upright]);
    expect(frames.flat()).toEqual([]);
  });
});

describe('a frame that nobody searched', () => {
  const luma = (...blobs: Blob[]) => drawBlobs(blobs, SIZE).y;

  test('has the known faces, with room around them that grows', async () => {
    const session = new Session(true);
    await session.settle([ada]);
    const margins = [0, 5, 10].map((later) => {
      const { faces } = unsearchedFaces(session.state, luma(ada), session.frame + later, SCHEDULE);
      expect(faces).toHaveLength(1);
      return faces![0]!.margin;
    });
    expect(margins[0]).toBeGreaterThan(20);
    expect(margins[1]).toBeGreaterThan(margins[0]!);
    expect(margins[2]).toBeGreaterThan(margins[1]!);
  });

  test('may have a face wherever something has changed', async () => {
    const session = new Session(true);
    await session.settle([ada]);
    const { unsearched } = unsearchedFaces(session.state, luma(ada, bea), session.frame, SCHEDULE);
    expect(unsearched).toHaveLength(1);
    expect(unsearched[0]!.x).toBeLessThan(bea.x);
    expect(unsearched[0]!.x + unsearched[0]!.width).toBeGreaterThan(bea.x + bea.width);
  });

  test('is unknown if it is of another scene, of another size, or of long after', async () => {
    const session = new Session(true);
    await session.settle([ada]);
    const { state, frame } = session;
    const other = drawBlobs([], SIZE).y;
    other.pixels.forEach((_, at) => (other.pixels[at] = (at % 64) * 3));
    const unknown = { searched: false, faces: undefined, unsearched: [] };
    expect(unsearchedFaces(state, other, frame, SCHEDULE)).toEqual(unknown);
    const small = drawBlobs([], { width: 320, height: 240 }).y;
    expect(unsearchedFaces(state, small, frame, SCHEDULE)).toEqual(unknown);
    const late = frame + SCHEDULE.hold + 1;
    expect(unsearchedFaces(state, luma(ada), late, SCHEDULE)).toEqual(unknown);
    expect(unsearchedFaces(undefined, luma(ada), frame, SCHEDULE)).toEqual(unknown);
  });
});
