import { readFile } from 'node:fs/promises';
import { FUZZED, fuzz, type FuzzReport } from '@facecast/frame-extractor/testing/broken-recordings';
import { countedClip, cut, SMALL, VP8_WEBM } from '@facecast/frame-extractor/testing/counted-clips';
import {
  log,
  Surroundings,
  type TestSession,
} from '@facecast/frame-extractor/testing/surroundings';
import { connectRedis, type Redis } from '@facecast/shared/redis/redis';
import { processesUnder } from '../support/processes.js';
import { startRedisServer } from '../support/redis-server.js';
import { table } from './tables.js';

/** Of each container. */
const MUTATIONS = Number(process.env['FUZZ_MUTATIONS'] ?? 10_000);
const FIRST_SEED = Number(process.env['FUZZ_SEED'] ?? 0);
const AT_ONCE = 4;
/** A session that has not ended so long after all of it was sent hangs. */
const HANG_MS = 5_000;
/** Code is compiled and pools are filled by then: what is more after that is lost. */
const WARM_UP = 100;
/** The session beside them gets a piece of its recording between two rounds. */
const ROUNDS = 10;

/** Thousands of broken recordings through an extractor in a process of its own. */
export async function benchFuzz(): Promise<string> {
  const server = await startRedisServer();
  const redis = connectRedis(server.url, 'worker', log);
  const around = await Surroundings.start(redis);
  await around.extractor.close();
  const extractor = await around.startProcess(server.url);
  try {
    const rows: string[][] = [];
    for (const [name, fuzzed] of Object.entries(FUZZED)) {
      const warmUp = { from: FIRST_SEED, count: WARM_UP, atOnce: AT_ONCE };
      await fuzz(around, fuzzed, warmUp, HANG_MS);
      const before = await inventory(redis, extractor.pid ?? 0);
      const beside = await SessionBeside.begin(around);
      const rounds: FuzzReport[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const from = FIRST_SEED + Math.round((round * MUTATIONS) / ROUNDS);
        const to = FIRST_SEED + Math.round(((round + 1) * MUTATIONS) / ROUNDS);
        const seeds = { from, count: to - from, atOnce: AT_ONCE };
        rounds.push(await fuzz(around, fuzzed, seeds, HANG_MS));
        await beside.goOn();
      }
      const lost = await beside.end();
      const left = await inventory(redis, extractor.pid ?? 0);
      const sum = (of: (round: (typeof rounds)[0]) => number) =>
        String(rounds.reduce((all, round) => all + of(round), 0));
      const change = (what: keyof Inventory) => `${before[what]} → ${left[what]}`;
      rows.push([
        ...[name, sum(({ recordings }) => recordings), sum(({ frames }) => frames)],
        sum(({ refused }) => refused),
        rounds.flatMap(({ failed }) => failed).join(' ') || 'none',
        String(Math.max(...rounds.map(({ slowestMs }) => Math.round(slowestMs)))),
        rounds.flatMap(({ hung }) => hung).join(' ') || 'none',
        extractor.exitCode === null ? 'no' : `exit ${extractor.exitCode}`,
        ...[change('megabytes'), change('processes'), change('keys'), String(lost)],
      ]);
    }
    return table(HEADER, rows);
  } finally {
    await around.close();
    redis.disconnect();
    await server.stop();
  }
}

const HEADER = [
  ...['broken recordings', 'sent', 'frames', 'refused', 'seeds that failed', 'slowest ms'],
  ...['seeds that hung', 'crash', 'MB', 'processes', 'Redis keys', 'frames lost beside'],
];

interface Inventory {
  megabytes: number;
  processes: number;
  keys: number;
}

async function inventory(redis: Redis, pid: number): Promise<Inventory> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
  return {
    megabytes: Math.round(kilobytes / 1024),
    processes: (await processesUnder(pid)).length,
    keys: await redis.dbsize(),
  };
}

/** A good recording that is sent on piece by piece, while others are broken. */
class SessionBeside {
  private static readonly FRAMES = 30 * ROUNDS;
  private constructor(
    private readonly around: Surroundings,
    private readonly session: TestSession,
    private readonly pieces: Buffer[],
  ) {}

  static async begin(around: Surroundings): Promise<SessionBeside> {
    const clip = await countedClip(SessionBeside.FRAMES, VP8_WEBM, SMALL);
    const pieces = cut(clip, Math.ceil(clip.length / (ROUNDS + 1)));
    const beside = new SessionBeside(around, await around.begin(), pieces);
    await beside.goOn();
    return beside;
  }

  async goOn(): Promise<void> {
    const piece = this.pieces.shift();
    if (!piece) return;
    await this.around.sessions.publisherSeen(this.session.id, PUBLISHER_SECONDS);
    await this.session.send([piece]);
  }

  /** Ends it; resolves to how many of its frames are not there. */
  async end(): Promise<number> {
    await this.session.stop();
    const { batches } = await this.session.end();
    await this.around.until(() => this.session.jobs.length >= batches);
    const right = this.session.numbers.filter((number, n) => number === n).length;
    await this.around.forget(this.session);
    await this.around.leaseJobDone(this.session);
    return SessionBeside.FRAMES - right;
  }
}

/** Longer than a round takes. */
const PUBLISHER_SECONDS = 3600;
