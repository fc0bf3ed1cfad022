import { describe, expect, test } from 'vitest';
import {
  adapt,
  BEST,
  FIRST_PATIENCE_SECONDS,
  MAX_PATIENCE_SECONDS,
  type Adaptation,
} from './adaptation.js';
import { LOWEST_QUALITY, QUALITIES, qualityOf } from './quality.js';

const LOOK_EVERY = 0.5;

/** A connection with a bottleneck, a recorder that fills it, and the page's decisions. */
class Simulation {
  now = 0;
  adaptation: Adaptation = BEST;
  changes: { at: number; level: number; dropped: boolean }[] = [];
  longestWaitSeconds = 0;
  serverSeconds: number | undefined = 0.3;
  isConnected = true;
  /** What the picture has of what the encoder may use: a still picture needs little. */
  private share: number;
  /** Sent and unsent chunks: when they were recorded, and their bytes. */
  private unacknowledged: { at: number; bytes: number }[] = [];
  private acknowledged = 0;
  private partly = 0;

  constructor({ share = 1 } = {}) {
    this.share = share;
  }

  get level(): number {
    return this.adaptation.level;
  }

  get waitedSeconds(): number {
    return this.now - (this.unacknowledged[0]?.at ?? this.now);
  }

  /** Lets `seconds` go by with a connection that carries so many bits a second. */
  run(seconds: number, bitsPerSecond: number): this {
    const end = this.now + seconds;
    while (this.now < end - 1e-6) {
      this.now += LOOK_EVERY;
      const produced = (qualityOf(this.level).bitsPerSecond * this.share * LOOK_EVERY) / 8;
      for (let part = 0; part < 5; part++)
        this.unacknowledged.push({ at: this.now - LOOK_EVERY + part / 10, bytes: produced / 5 });
      this.carry((bitsPerSecond * LOOK_EVERY) / 8);
      this.look();
    }
    return this;
  }

  private carry(bytes: number): void {
    let left = this.partly + bytes;
    while (this.unacknowledged[0] && this.unacknowledged[0].bytes <= left) {
      left -= this.unacknowledged[0].bytes;
      this.acknowledged += this.unacknowledged.shift()!.bytes;
    }
    this.partly = this.unacknowledged.length > 0 ? left : 0;
  }

  private look(): void {
    const { now, serverSeconds, waitedSeconds, level } = this;
    const unacknowledgedBytes = this.unacknowledged.reduce((sum, { bytes }) => sum + bytes, 0);
    const uplink = { waitedSeconds, unacknowledgedBytes, acknowledgedBytes: this.acknowledged };
    const sample = this.isConnected ? { atSeconds: now, serverSeconds, ...uplink } : undefined;
    this.longestWaitSeconds = Math.max(this.longestWaitSeconds, waitedSeconds);
    this.adaptation = adapt(this.adaptation, sample);
    const { dropsUnacknowledged } = this.adaptation;
    if (dropsUnacknowledged) this.unacknowledged.length = 0;
    if (this.level !== level)
      this.changes.push({ at: now, level: this.level, dropped: dropsUnacknowledged });
  }
}

const PLENTY = 10_000_000;

describe('the picture stays as it is', () => {
  test('where the connection carries it', () => {
    expect(new Simulation().run(600, PLENTY).changes).toEqual([]);
  });

  test('where a slow connection carries what a still picture needs', () => {
    expect(new Simulation({ share: 0.05 }).run(600, 200_000).changes).toEqual([]);
  });

  test.each([0.5, 1, 1.5, 2, 2.5])('after a hiccup of %f s', (seconds) => {
    const page = new Simulation().run(30, PLENTY).run(seconds, 0).run(60, PLENTY);
    expect(page.changes).toEqual([]);
  });

  test('after an interruption, which a fast connection soon makes up for', () => {
    const page = new Simulation().run(30, PLENTY);
    page.isConnected = false;
    page.run(10, 0);
    page.isConnected = true;
    expect(page.run(60, PLENTY).changes).toEqual([]);
  });

  test('while a server is late for a moment', () => {
    const page = new Simulation().run(30, PLENTY);
    page.serverSeconds = 6;
    page.run(4, PLENTY);
    page.serverSeconds = 0.3;
    expect(page.run(60, PLENTY).changes).toEqual([]);
  });
});

describe('over a connection that became slow', () => {
  test.each([1_500_000, 900_000, 500_000, 300_000, 150_000])(
    'of %i bit/s, it falls within seconds to what comes through in time',
    (bitsPerSecond) => {
      const page = new Simulation().run(30, PLENTY).run(9, bitsPerSecond);
      expect(page.changes[0]!.at - 30).toBeLessThan(6);
      expect(page.changes.length).toBeLessThanOrEqual(2);
      expect(qualityOf(page.level).bitsPerSecond).toBeLessThan(bitsPerSecond);
      expect(page.waitedSeconds).toBeLessThan(1);
    },
  );

  test('it tries the better picture less and less often, and never gives up trying', () => {
    const page = new Simulation().run(30, PLENTY).run(1_800, 500_000);
    const climbs = page.changes.filter(({ level }, n) => level < (page.changes[n - 1]?.level ?? 0));
    const pauses = climbs.slice(1).map(({ at }, n) => at - climbs[n]!.at);
    expect(climbs.length).toBeGreaterThan(8);
    expect(climbs.length).toBeLessThan(30);
    expect(Math.max(...pauses.slice(-4))).toBeGreaterThanOrEqual(MAX_PATIENCE_SECONDS);
    expect(Math.max(...pauses)).toBeLessThan(MAX_PATIENCE_SECONDS + 30);
  });

  test('what waits is forgotten where sending it would take long', () => {
    const [first] = new Simulation().run(30, PLENTY).run(15, 200_000).changes;
    expect(first).toMatchObject({ dropped: true });
  });

  test('it falls as far as it can and stays there', () => {
    const page = new Simulation().run(30, PLENTY).run(600, 20_000);
    expect(page.level).toBe(LOWEST_QUALITY);
    expect(page.changes.length).toBeLessThanOrEqual(4);
    expect(page.longestWaitSeconds).toBeLessThan(15);
  });
});

test('it rises to the best again, step by step, when the connection is well', () => {
  const page = new Simulation().run(30, PLENTY).run(20, 150_000);
  const from = page.level;
  expect(page.run(8, PLENTY).level).toBe(from);
  page.run((from + 1) * (FIRST_PATIENCE_SECONDS + 5), PLENTY);
  expect(page.level).toBe(0);
  const ups = page.changes.slice(-from).map(({ level }) => level);
  expect(ups).toEqual(Array.from({ length: from }, (_, n) => from - 1 - n));
});

test('a server that stays late gets fewer pictures, and more again when it has room', () => {
  const page = new Simulation().run(30, PLENTY);
  page.serverSeconds = 6;
  page.run(6, PLENTY);
  expect(qualityOf(page.level).frameRate).toBe(15);
  expect(page.adaptation.limitation).toBe('server');
  page.serverSeconds = 0.3;
  expect(page.run(120, PLENTY).level).toBe(0);
});

test('a server that takes chunks late because it is busy is not taken for a slow connection', () => {
  const page = new Simulation().run(30, PLENTY);
  page.serverSeconds = 6;
  page.run(4.5, 300_000);
  expect(page.level).toBeGreaterThan(0);
  expect(page.adaptation.limitation).toBe('server');
});

test('what is remembered for a decision does not grow', () => {
  const page = new Simulation().run(600, PLENTY);
  expect(page.adaptation.samples.length).toBeLessThan(8);
});

test('qualities fall in bits, and never rise in pictures or size', () => {
  QUALITIES.slice(1).forEach((quality, n) => {
    const better = qualityOf(n);
    expect(quality.bitsPerSecond).toBeLessThan(better.bitsPerSecond);
    expect(quality.scale).toBeLessThanOrEqual(better.scale);
    expect(quality.frameRate ?? Infinity).toBeLessThanOrEqual(better.frameRate ?? Infinity);
  });
});
