import { describe, expect, test } from 'vitest';
import { drawBlobs, type Blob } from '../testing/blob-finder.js';
import type { FrameFace } from './frame-faces.js';
import { MAX_TRACKS } from './tracker-state.js';
import {
  FULL,
  FULL_LYING,
  QUICK,
  SCHEDULE,
  SIZE,
  Session,
  ada,
  bea,
  face,
  isAt,
  lying,
  sure,
} from '../testing/tracked-session.js';

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

  test('the whole picture at once if that costs less than each face by itself', async () => {
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

describe('the faces of a run', () => {
  test('are all covered from the first frame on, even if they are more than sixty', async () => {
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

  test('one that is lost is held for half a second', async () => {
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

  test('no face is there twice when two known ones become one', async () => {
    const session = new Session();
    await session.settle([face(100), face(170)]);
    for (let run = 0; run < 7; run++) await session.next([face(130)]);
    const [first] = await session.next([face(130)]);
    expect(sure(first!)).toHaveLength(1);
  });

  test('a doubtful face is hidden, but not listed', async () => {
    const doubtful = face(100, { doubtful: true });
    expect((await new Session().next([doubtful])).flat()).toEqual([]);
    for (const faces of await new Session(true).next([doubtful])) {
      expect(faces.some(isAt(doubtful))).toBe(true);
      expect(sure(faces)).toEqual([]);
    }
  });

  test('of the scene before a cut are not matched with those of the new scene', async () => {
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
