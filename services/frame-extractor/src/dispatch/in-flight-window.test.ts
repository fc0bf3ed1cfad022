import { describe, expect, test } from 'vitest';
import { InFlightWindow, MAX_IN_FLIGHT, maxInFlight } from './in-flight-window.js';

describe('the bound', () => {
  test('is two seconds of small pictures, and 128 MiB of large ones', () => {
    const roomy = 4 * 1024 ** 3;
    expect(maxInFlight(MAX_IN_FLIGHT, 3 * 115_200, roomy)).toBe(20);
    expect(maxInFlight(MAX_IN_FLIGHT, 5 * 1_382_400, roomy)).toBe(19);
    expect(maxInFlight(MAX_IN_FLIGHT, 1_000_000_000, roomy)).toBe(1);
  });

  test('is a share of a small store, as a container has one', () => {
    expect(maxInFlight(MAX_IN_FLIGHT, 3 * 460_800, 64 * 1024 ** 2)).toBe(6);
  });
});

describe('batches on their way', () => {
  const { signal } = new AbortController();

  test('have room until the bound, and again when the playlist lists some', async () => {
    const inFlight = new InFlightWindow();
    expect(await inFlight.waitForRoom(2, signal)).toBe(true);
    inFlight.add();
    inFlight.add();
    let waited = true;
    const room = inFlight.waitForRoom(2, signal).then(() => waited);
    inFlight.listedUpTo(0);
    waited = false;
    inFlight.listedUpTo(1);
    expect(await room).toBe(false);
    expect(inFlight.count).toBe(1);
  });

  test('keep nobody waiting when one of them is to be made again, or the session is over', async () => {
    const inFlight = new InFlightWindow();
    inFlight.add();
    const interruption = new AbortController();
    const room = inFlight.waitForRoom(1, interruption.signal);
    interruption.abort();
    expect(await room).toBe(false);
    expect(await inFlight.waitForRoom(2, interruption.signal)).toBe(false);
  });

  test('are counted, and not any more when the session is over', () => {
    let total = 0;
    const inFlight = new InFlightWindow((difference) => (total += difference));
    inFlight.add();
    inFlight.add();
    inFlight.listedUpTo(1.9);
    expect(total).toBe(1);
    inFlight.close();
    inFlight.listedUpTo(2);
    expect(total).toBe(0);
  });
});
