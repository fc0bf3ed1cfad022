import { describe, expect, test } from 'vitest';
import { drawBlobs, type Blob } from '../testing/blob-finder.js';
import { parseState, serialiseState } from './tracker-state.js';
import { unsearchedFaces } from './unsearched.js';
import { FULL, SCHEDULE, SIZE, Session, ada, bea, face, isAt } from '../testing/tracked-session.js';

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

  test('one that is lost stays covered for longer, over a growing area, but is not listed', async () => {
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

  test('when hiding begins, the first frame is searched like that of a new session', async () => {
    const outlined = new Session();
    await outlined.settle([ada, face(300, { doubtful: true })]);
    const hidden = new Session(true);
    Object.assign(hidden, { state: outlined.state, frame: outlined.frame });
    const [first] = await hidden.next([ada, face(300, { doubtful: true })]);
    expect(hidden.finder.asked).toContain(FULL);
    expect(first).toHaveLength(2);
  });
});

describe('the tracker state of a replica', () => {
  test('continues on another replica, over Redis, and is not modified', async () => {
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

  test('of a later run serves an earlier one, too', async () => {
    const session = new Session();
    session.frame = 9;
    await session.settle([ada]);
    session.frame -= 6;
    const frames = await session.next([ada]);
    expect(frames.map((faces) => faces.map(({ id }) => id))).toEqual([[0], [0], [0]]);
  });

  test('does not hold for a picture of another size, nor after half a second', async () => {
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

describe('an unsearched frame', () => {
  const luma = (...blobs: Blob[]) => drawBlobs(blobs, SIZE).y;

  test('has the known faces, with a growing margin', async () => {
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
