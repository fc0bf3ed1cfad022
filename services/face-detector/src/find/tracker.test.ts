import type { Face } from '@facecast/shared/messages';
import { describe, expect, test } from 'vitest';
import type { FaceFinder } from './face-finder.js';
import { isSameFace } from './same-face.js';
import { knowledgeSchema, MAX_FACES, paceAt, searchFrame, type Knowledge } from './tracker.js';

const PACE = { wholeEvery: 10, hold: 15 };
const PICTURE = { pixels: new Uint8Array(640 * 480), width: 640, height: 480 };
const ada: Face = { x: 100, y: 100, width: 80, height: 80, score: 0.9 };
const bea: Face = { x: 400, y: 100, width: 80, height: 80, score: 0.9 };
const moved = (face: Face, by: number): Face => ({ ...face, x: face.x + by });

/** A finder that sees what the test says, and tells what it was asked. */
class Scripted implements FaceFinder {
  asked: string[] = [];
  constructor(public visible: Face[]) {}

  async findOthers(_: unknown, known: readonly Face[]) {
    this.asked.push('whole');
    return this.visible.filter((face) => !known.some((other) => isSameFace(other, face)));
  }

  async findNear(_: unknown, known: Face) {
    this.asked.push('near');
    return this.visible.find((face) => Math.abs(face.x - known.x) < known.width / 4);
  }
}

const facesOf = (knowledge: Knowledge) => knowledge.faces.map(({ face }) => face);

describe('which search a frame gets', () => {
  test('without knowledge: the whole picture', async () => {
    const finder = new Scripted([ada]);
    const after = await searchFrame(finder, PICTURE, 7, undefined, PACE);
    expect(finder.asked).toEqual(['whole']);
    expect(facesOf(after)).toEqual([ada]);
    expect(after.searchedWhole).toBe(7);
  });

  test('with knowledge: only around each known face', async () => {
    const finder = new Scripted([ada, bea]);
    const known = await searchFrame(finder, PICTURE, 0, undefined, PACE);
    finder.asked = [];
    finder.visible = [moved(ada, 5), moved(bea, -5)];
    const after = await searchFrame(finder, PICTURE, 1, known, PACE);
    expect(finder.asked).toEqual(['near', 'near']);
    expect(facesOf(after)).toEqual(finder.visible);
    expect(after.searchedWhole).toBe(0);
  });

  test('the whole picture again after a third of a second, so that whoever enters is found', async () => {
    const finder = new Scripted([ada]);
    let known = await searchFrame(finder, PICTURE, 0, undefined, PACE);
    finder.visible = [ada, bea];
    for (let frame = 1; frame <= PACE.wholeEvery; frame++) {
      expect(facesOf(known)).toEqual([ada]);
      known = await searchFrame(finder, PICTURE, frame, known, PACE);
    }
    expect(facesOf(known)).toEqual([ada, bea]);
    expect(paceAt(30)).toEqual({ wholeEvery: 10, hold: 15 });
    expect(paceAt(1)).toEqual({ wholeEvery: 1, hold: 1 });
  });

  test('the whole picture where the picture has another size than the one that is known', async () => {
    const finder = new Scripted([ada]);
    const known = await searchFrame(finder, PICTURE, 0, undefined, PACE);
    finder.asked = [];
    finder.visible = [];
    const portrait = { ...PICTURE, width: 480, height: 640 };
    const after = await searchFrame(finder, portrait, 1, known, PACE);
    expect(finder.asked).toEqual(['whole']);
    expect(after.faces).toEqual([]);
  });

  test('knowledge of a later frame is as good as that of an earlier one', async () => {
    const finder = new Scripted([ada]);
    const known = await searchFrame(finder, PICTURE, 9, undefined, PACE);
    finder.asked = [];
    expect(facesOf(await searchFrame(finder, PICTURE, 6, known, PACE))).toEqual([ada]);
    expect(finder.asked).toEqual(['near']);
  });

  test('in a crowd at most eight are looked for in one frame, and all of them in turns', async () => {
    const crowd = Array.from({ length: 20 }, (_, n) => ({ ...ada, x: 100 * n }));
    const finder = new Scripted(crowd);
    let known = await searchFrame(finder, PICTURE, 0, undefined, PACE);
    for (let frame = 1; frame <= 3; frame++) {
      finder.asked = [];
      known = await searchFrame(finder, PICTURE, frame, known, PACE);
      expect(finder.asked).toEqual(Array(8).fill('near'));
      expect(known.faces).toHaveLength(20);
    }
    expect(known.faces.every(({ foundIn }) => foundIn > 0)).toBe(true);
  });
});

describe('which faces a frame has', () => {
  test('a face that is lost keeps its place for half a second, then it is let go', async () => {
    const finder = new Scripted([ada]);
    let known = await searchFrame(finder, PICTURE, 0, undefined, PACE);
    finder.visible = [];
    for (let frame = 1; frame <= PACE.hold; frame++) {
      known = await searchFrame(finder, PICTURE, frame, known, PACE);
      expect(facesOf(known)).toEqual([ada]);
    }
    known = await searchFrame(finder, PICTURE, PACE.hold + 1, known, PACE);
    expect(known.faces).toEqual([]);
  });

  test('none twice: neither by both searches nor where two known ones become one', async () => {
    const finder = new Scripted([ada, bea]);
    const known = await searchFrame(finder, PICTURE, 0, undefined, PACE);
    const meeting = { ...known, faces: [...known.faces, { face: moved(ada, 36), foundIn: 0 }] };
    finder.visible = [moved(ada, 18), bea];
    const after = await searchFrame(finder, PICTURE, PACE.wholeEvery, meeting, PACE);
    expect(facesOf(after)).toEqual([moved(ada, 18), bea]);
  });

  test('never more than the limit', async () => {
    const many = Array.from({ length: 200 }, (_, n) => ({ ...ada, x: n * 100 }));
    const after = await searchFrame(new Scripted(many), PICTURE, 0, undefined, PACE);
    expect(after.faces).toHaveLength(MAX_FACES);
  });

  test('knowledge survives its way through JSON, and the one before is not changed', async () => {
    const finder = new Scripted([ada]);
    const known = await searchFrame(finder, PICTURE, 0, undefined, PACE);
    const before = JSON.stringify(known);
    finder.visible = [moved(ada, 8)];
    const direct = await searchFrame(finder, PICTURE, 1, known, PACE);
    expect(JSON.stringify(known)).toBe(before);
    const carried = knowledgeSchema.parse(JSON.parse(before));
    expect(await searchFrame(finder, PICTURE, 1, carried, PACE)).toEqual(direct);
  });
});
