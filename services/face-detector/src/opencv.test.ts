import { isMainThread } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { cv, matOver, withMats, type Mat } from './opencv.js';

const plane = { pixels: new Uint8Array(16).fill(7), width: 4, height: 4 };

describe('Mats given to `own`', () => {
  test('are released when the work is done, and when it fails', () => {
    const released: Mat[] = [];
    const watched = (mat: Mat) => {
      const release = mat.release.bind(mat);
      mat.release = () => {
        released.push(mat);
        release();
      };
      return mat;
    };
    withMats((own) => own(watched(matOver(plane))));
    expect(released).toHaveLength(1);
    const failing = () =>
      withMats((own) => {
        own(watched(matOver(plane)));
        own(watched(matOver(plane)));
        throw new Error('no');
      });
    expect(failing).toThrow('no');
    expect(released).toHaveLength(3);
  });

  test('what the addon throws is an Error, although it throws strings', () => {
    const impossible = () =>
      withMats((own) => own(own(matOver(plane)).resize(0, 0, 0, 0, cv.INTER_AREA)));
    expect(impossible).toThrow(Error);
  });

  test('a plane with fewer bytes than its size says is refused', () => {
    expect(() => matOver({ ...plane, width: 1000 })).toThrow('16 bytes are no plane of 1000x4');
  });
});

test('these tests run as the service does: the addon works only on one thread', () => {
  expect(isMainThread).toBe(true);
});
