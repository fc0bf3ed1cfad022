import { describe, expect, test } from 'vitest';
import { InFlight, mostInFlight } from './in-flight-window.js';

describe('the bound', () => {
  test('is ten seconds of small pictures, and 128 MiB of large ones', () => {
    const roomy = 4 * 1024 ** 3;
    expect(mostInFlight(3 * 115_200, roomy)).toBe(100);
    expect(mostInFlight(3 * 1_382_400, roomy)).toBe(32);
    expect(mostInFlight(1_000_000_000, roomy)).toBe(1);
  });

  test('is a share of a small store, as a container has one', () => {
    expect(mostInFlight(3 * 460_800, 64 * 1024 ** 2)).toBe(6);
  });
});

describe('batches on their way', () => {
  test('have room until the bound, and again when the playlist lists some', async () => {
    const inFlight = new InFlight();
    expect(await inFlight.room(2)).toBe(true);
    inFlight.add();
    inFlight.add();
    let waited = true;
    const room = inFlight.room(2).then(() => waited);
    inFlight.published(0);
    waited = false;
    inFlight.published(1);
    expect(await room).toBe(false);
    expect(inFlight.count).toBe(1);
  });

  test('keep nobody waiting when the session is over', async () => {
    const inFlight = new InFlight();
    inFlight.add();
    const room = inFlight.room(1);
    inFlight.close();
    expect(await room).toBe(false);
  });

  test('are counted, and not any more when the session is over', () => {
    let total = 0;
    const inFlight = new InFlight((difference) => (total += difference));
    inFlight.add();
    inFlight.add();
    inFlight.published(1.9);
    expect(total).toBe(1);
    inFlight.close();
    inFlight.published(2);
    expect(total).toBe(0);
  });
});
