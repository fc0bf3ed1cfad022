import { describe, expect, test } from 'vitest';
import type { FaceFinder, Find, Place } from './face-finder.js';
import { knowledgeSchema, MAX_FACES, type Knowledge } from './knowledge.js';
import { paceAt, type Pace } from './pace.js';
import { searchRun } from './tracker.js';

const PACE = paceAt(30);
const PICTURE = { pixels: new Uint8Array(640 * 480), width: 640, height: 480 };
/** The same with something else at its top. */
const CHANGED = { ...PICTURE, pixels: PICTURE.pixels.map((_, at) => (at < 640 * 64 ? 90 : 0)) };
const face = (x: number, more: Partial<Find> = {}): Find => ({
  ...{ x, y: 100, width: 80, height: 80, score: 0.9, sure: true },
  ...more,
});
const ada = face(100);
const bea = face(400);

/** A finder that sees what the test says, and tells what it was asked. */
class Scripted implements FaceFinder {
  asked: string[] = [];
  constructor(public visible: Find[]) {}

  async findAll(_: unknown, depth: string) {
    this.asked.push(depth);
    return this.visible;
  }

  async findIn(_: unknown, __: unknown, depth: string) {
    this.asked.push(`part, ${depth}`);
    return this.visible;
  }

  async findNear(_: unknown, { x }: Place): Promise<Find | undefined> {
    this.asked.push('near');
    return this.visible.find((one) => Math.abs(one.x - x) < one.width / 2);
  }
}

/** Searches run after run of three frames, from frame 0 on, as one session. */
class Session {
  known: Knowledge | undefined;
  frame = 0;
  constructor(
    readonly finder: Scripted,
    readonly hidden = false,
    readonly pace: Pace = PACE,
  ) {}

  async next(visible?: Find[], picture = PICTURE, first = picture) {
    this.finder.asked = [];
    this.finder.visible = visible ?? this.finder.visible;
    const pictures = [first, ...Array<typeof PICTURE>(PACE.run - 1).fill(picture)];
    const run = { firstFrame: this.frame, pictures };
    const { pace, hidden } = this;
    const { known, sightings } = await searchRun(this.finder, run, this.known, { pace, hidden });
    this.known = known;
    this.frame += PACE.run;
    return sightings.map(({ faces }) => faces!);
  }
}

describe('which search a run gets', () => {
  test('without knowledge: the whole picture, thoroughly', async () => {
    const session = new Session(new Scripted([]));
    await session.next();
    expect(session.finder.asked).toEqual(['thorough']);
    expect(session.known).toMatchObject({ searchedWhole: 2, searchedThoroughly: 2 });
  });

  test('with knowledge: only around each known face', async () => {
    const session = new Session(new Scripted([ada, bea]));
    await session.next();
    const [first] = await session.next([face(105), face(395)]);
    expect(session.finder.asked).toEqual(['near', 'near']);
    expect(first).toHaveLength(2);
  });

  /** What is asked in twenty runs, of which the eleventh shows something else, and with which frame. */
  async function askedOver(changed: typeof PICTURE): Promise<string[]> {
    const session = new Session(new Scripted([]));
    const asked: string[] = [];
    for (let run = 0; run < 20; run++) {
      await session.next(undefined, run === 10 ? changed : PICTURE);
      asked.push(...session.finder.asked.map((what) => `${session.frame - 1} ${what}`));
    }
    return asked;
  }
  const QUICK = [11, 20, 29, 41, 50, 59].map((frame) => `${frame} quick`);

  test('the whole picture every third of a second, and thoroughly once as long as nothing changes', async () => {
    expect(await askedOver(PICTURE)).toEqual(['2 thorough', ...QUICK]);
  });

  test('thoroughly every second what has changed', async () => {
    const thoroughly = ['2 thorough', '32 part, thorough'];
    expect(await askedOver(CHANGED)).toEqual(expect.arrayContaining([...thoroughly, ...QUICK]));
  });

  describe('where faces are hidden', () => {
    test('what has changed is searched at once, and no more when that has been done for a third of a second', async () => {
      const session = new Session(new Scripted([]), true);
      const asked: string[][] = [];
      for (const picture of [PICTURE, PICTURE, CHANGED, CHANGED, CHANGED]) {
        await session.next(undefined, picture);
        asked.push(session.finder.asked);
      }
      expect(asked).toEqual([['thorough'], [], ['part, quick'], ['part, quick'], []]);
    });

    test('a change within a known face, which is covered, is no reason for a search', async () => {
      const session = new Session(new Scripted([ada]), true);
      const pixels = PICTURE.pixels.map((_, at) => {
        const [x, y] = [at % 640, Math.floor(at / 640)];
        return x >= 112 && x < 176 && y >= 112 && y < 176 ? 90 : 0;
      });
      await session.next();
      await session.next(undefined, { ...PICTURE, pixels });
      expect(session.finder.asked).toEqual(['near']);
    });

    test('a face that enters is covered in the run in which it does', async () => {
      const session = new Session(new Scripted([]), true);
      await session.next();
      const frames = await session.next([bea], CHANGED);
      expect(frames.map((faces) => faces.length)).toEqual([1, 1, 1]);
    });

    test('the whole picture is searched thoroughly where a face is not where it should be', async () => {
      const session = new Session(new Scripted([ada]), true);
      await session.next();
      await session.next([]);
      expect(session.finder.asked).toEqual(['near', 'thorough']);
    });

    test('also after a time without a search', async () => {
      const session = new Session(new Scripted([ada]), true);
      await session.next();
      session.frame += 3 * PACE.run;
      await session.next([]);
      expect(session.finder.asked).toEqual(['near', 'thorough']);
    });

    test('after such a time, frames are covered where they differ from the one that is searched', async () => {
      const session = new Session(new Scripted([ada]), true);
      await session.next();
      session.frame += 3 * PACE.run;
      const [first, , last] = await session.next([ada], PICTURE, CHANGED);
      expect(last).toHaveLength(1);
      const beside = first!.filter(({ sure }) => !sure);
      expect(beside).toMatchObject([{ x: 0, y: 0, width: 640 }]);
    });

    test('the whole picture is searched thoroughly when hiding begins', async () => {
      const outlined = new Session(new Scripted([ada]));
      await outlined.next();
      const hidden = new Session(new Scripted([ada]), true);
      Object.assign(hidden, { known: outlined.known, frame: 3 });
      await hidden.next();
      expect(hidden.finder.asked[0]).toBe('thorough');
    });
  });

  test('the whole picture where the picture has another size than the one that is known', async () => {
    const session = new Session(new Scripted([ada]));
    await session.next();
    const faces = await session.next([], { ...PICTURE, width: 480, height: 640 });
    expect(session.finder.asked).toEqual(['thorough']);
    expect(faces.flat()).toEqual([]);
  });

  test('the whole picture where a face is not where it should be: it may have gone far', async () => {
    const session = new Session(new Scripted([ada]));
    await session.next();
    const [, , last] = await session.next([face(210)]);
    expect(session.finder.asked).toEqual(['near', 'quick', 'near']);
    expect(last![0]).toMatchObject({ id: 0, x: 210 });
  });

  test('knowledge of a later run is as good as that of an earlier one', async () => {
    const session = new Session(new Scripted([ada]));
    session.frame = 9;
    await session.next();
    session.frame = 6;
    const faces = await session.next();
    expect(session.finder.asked).toEqual(['near']);
    expect(faces.map((each) => each[0]!.id)).toEqual([0, 0, 0]);
  });

  test('in a crowd at most eight are looked for in one frame, and all of them in turns', async () => {
    const crowd = Array.from({ length: 6 }, (_, n) => face(100 * n));
    const rows = [0, 120, 240].flatMap((y) => crowd.map((one) => ({ ...one, y })));
    class Crowd extends Scripted {
      override async findNear(_: unknown, place: Place) {
        this.asked.push('near');
        return this.visible.find((one) => Math.hypot(one.x - place.x, one.y - place.y) < 40);
      }
    }
    const session = new Session(new Crowd(rows));
    for (let run = 0; run < 5; run++) await session.next();
    const ends = session.known!.tracks.map(({ foundIn }) => foundIn);
    expect(ends.length).toBeGreaterThan(8);
    await session.next();
    expect(session.finder.asked.filter((what) => what === 'near').length).toBeLessThanOrEqual(
      8 + 12,
    );
    expect(session.known!.tracks.every(({ foundIn }) => foundIn > 2)).toBe(true);
  });
});

describe('where the faces of a run are', () => {
  test('one that moves is in each frame on its way from one search to the next', async () => {
    const session = new Session(new Scripted([ada]));
    await session.next();
    await session.next([face(130)]);
    const frames = await session.next([face(160)]);
    expect(frames.map((faces) => Math.round(faces[0]!.x))).toEqual([140, 150, 160]);
  });

  test('one that enters is in the first frame too, where a look there finds it', async () => {
    const session = new Session(new Scripted([]), true);
    await session.next();
    const frames = await session.next([ada], CHANGED);
    expect(frames.map((faces) => faces[0]!.sure)).toEqual([true, true, true]);
  });

  test('one that stands still does not move, although the finder is unsteady', async () => {
    const session = new Session(new Scripted([ada]));
    const xs: number[] = [];
    for (let run = 0; run < 20; run++)
      for (const faces of await session.next([
        face(100 + 2 * Math.sin(run * 7), { width: 80 + 2 * Math.cos(run * 5) }),
      ]))
        xs.push(faces[0]!.x);
    const moves = xs.slice(1).map((x, n) => Math.abs(x - xs[n]!));
    expect(Math.max(...moves)).toBeLessThan(1);
  });

  test('the id of a face stays, and a new face gets a new one', async () => {
    const session = new Session(new Scripted([ada]));
    await session.next();
    await session.next();
    await session.next([face(110), bea]);
    for (let run = 0; run < 4; run++) await session.next();
    expect(session.known!.tracks.map(({ id, x }) => [id, x > 200])).toEqual([
      [0, false],
      [1, true],
    ]);
  });

  test('one that is lost goes on for half a second, then it is let go', async () => {
    const session = new Session(new Scripted([ada]));
    await session.next();
    await session.next([face(106)]);
    const frames: number[] = [];
    for (let run = 0; run < 8; run++)
      for (const faces of await session.next([])) frames.push(faces.length);
    const held = frames.indexOf(0);
    expect(held).toBeGreaterThanOrEqual(PACE.hold - PACE.run);
    expect(held).toBeLessThanOrEqual(PACE.hold + PACE.run);
    expect(frames.slice(held)).toEqual(Array(24 - held).fill(0));
  });

  test('where faces are hidden it stays hidden for longer, over a growing area, but is called none', async () => {
    const session = new Session(new Scripted([ada]), true);
    await session.next();
    let margin = 0;
    for (let run = 1; run <= 9; run++) {
      const [one] = (await session.next([])).at(-1)!;
      expect(one!.margin).toBeGreaterThanOrEqual(margin);
      expect(one!.margin).toBeGreaterThan(8);
      margin = one!.margin;
      expect(one!.sure).toBe(session.frame - 3 <= PACE.hold);
    }
  });

  test('one that leaves the picture is gone at once', async () => {
    const session = new Session(new Scripted([face(500)]));
    await session.next();
    await session.next([face(550)]);
    await session.next([face(600)]);
    const frames = await session.next([]);
    expect(frames.at(-1)!.filter(({ sure }) => sure)).toEqual([]);
    expect((await session.next([])).flat()).toEqual([]);
  });

  test('what may be something else is hidden, and called no face', async () => {
    const doubtful = face(100, { score: 0.4, sure: false });
    expect((await new Session(new Scripted([doubtful])).next()).flat()).toEqual([]);
    const hidden = await new Session(new Scripted([doubtful]), true).next();
    expect(hidden.map((faces) => faces.map(({ sure }) => sure))).toEqual([
      [false],
      [false],
      [false],
    ]);
  });

  test('no face is there twice, where two known ones become one', async () => {
    const session = new Session(new Scripted([face(100), face(150)]));
    await session.next();
    const frames = await session.next([face(125)]);
    expect(frames.at(-1)).toHaveLength(1);
  });

  test('who was seen just now is not taken for one who was lost before', async () => {
    const session = new Session(new Scripted([ada, face(160)]));
    await session.next();
    await session.next([face(160)]);
    const frames = await session.next([face(132)]);
    expect(
      frames
        .at(-1)!
        .filter(({ sure }) => sure)
        .map(({ id }) => id),
    ).toEqual([1]);
  });

  test('one that is lost stays where it was, whatever only looks like a face beside it', async () => {
    const session = new Session(new Scripted([ada]));
    await session.next();
    for (let run = 0; run < 4; run++)
      for (const faces of await session.next([face(240, { score: 0.4, sure: false })]))
        expect(faces).toMatchObject([{ id: 0, x: ada.x }]);
  });

  test('a face within the place of another one is none of its own', async () => {
    const session = new Session(
      new Scripted([face(100), face(120, { y: 110, width: 40, height: 40 })]),
    );
    expect((await session.next()).map((faces) => faces.length)).toEqual([1, 1, 1]);
  });

  test('there are never more than the limit', async () => {
    const session = new Session(new Scripted([]), true);
    for (let run = 0; run < 20; run++)
      await session.next(
        Array.from({ length: 200 }, (_, n) => face(n * 100 + 10, { y: run * 90 })),
      );
    expect(session.known!.tracks.length).toBeLessThanOrEqual(MAX_FACES);
  });

  test('knowledge survives its way through JSON, and the one before is not changed', async () => {
    const session = new Session(new Scripted([ada]));
    await session.next();
    const before = JSON.stringify(session.known);
    const other = new Session(new Scripted([face(108)]));
    Object.assign(other, { known: knowledgeSchema.parse(JSON.parse(before)), frame: 3 });
    const direct = await session.next([face(108)]);
    expect(await other.next()).toEqual(direct);
    expect(JSON.stringify(other.known)).toBe(JSON.stringify(session.known));
  });
});
