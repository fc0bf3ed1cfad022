import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { HaarFinder, isCascadeFile } from './haar.js';

const CASCADE = '/usr/share/opencv4/haarcascades/haarcascade_frontalface_alt2.xml';
const dir = mkdtempSync(join(tmpdir(), 'facecast-haar-'));

afterAll(() => rmSync(dir, { recursive: true }));

describe('failures of OpenCV', () => {
  test('a plane with fewer bytes than its size needs is refused, not read beyond its end', async () => {
    const sample = { planes: [Buffer.alloc(100)], width: 640, height: 480 };
    await expect(new HaarFinder(CASCADE).detect(sample)).rejects.toThrow(Error);
  });

  test('a file that is missing, cut off or something else is not taken for a cascade', () => {
    const file = (name: string, text: string) => {
      writeFileSync(join(dir, name), text);
      return join(dir, name);
    };
    const whole = readFileSync(CASCADE, 'utf8');
    expect(isCascadeFile(CASCADE)).toBe(true);
    expect(isCascadeFile(file('cut.xml', whole.slice(0, whole.length / 2)))).toBe(false);
    expect(isCascadeFile(file('other.xml', '<opencv_storage></opencv_storage>'))).toBe(false);
    expect(isCascadeFile(join(dir, 'missing.xml'))).toBe(false);
    expect(isCascadeFile(dir)).toBe(false);
  });

  test('a search without a cascade is an Error', async () => {
    const sample = { planes: [Buffer.alloc(64 * 64)], width: 64, height: 64 };
    const finder = new HaarFinder(join(dir, 'missing.xml'));
    await expect(finder.detect(sample)).rejects.toThrow(Error);
  });
});
