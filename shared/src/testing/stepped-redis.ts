import { Redis } from 'ioredis';
import { deferred, type Deferred } from '../runtime/deferred.js';

/**
 * A connection that can be stopped between any two of its commands, to try each order in which a process
 * may die, freeze or be told to stop. Commands are counted from `arm` on.
 */
export class SteppedRedis {
  readonly redis: Redis;
  /** Resolves when the step is reached. */
  readonly reached: Promise<void>;
  private readonly news = deferred();
  private readonly connections: Redis[] = [];
  private count: number | undefined;
  private gate: Deferred<void> | undefined;

  /**
   * @param step the command before which it happens
   * @param happens called then, before the command is sent
   */
  constructor(
    url: string,
    private readonly step: number,
    private readonly happens: (connection: SteppedRedis) => void,
  ) {
    this.reached = this.news.promise;
    this.redis = new Redis(url, { maxRetriesPerRequest: null });
    const send = this.redis.sendCommand.bind(this.redis);
    this.redis.sendCommand = (command, stream) => {
      if (this.count !== undefined && this.count++ === this.step) {
        this.happens(this);
        this.news.resolve();
      }
      if (!this.gate) return send(command, stream);
      void this.gate.promise.then(() => send(command, stream));
      return command.promise;
    };
    const duplicate = this.redis.duplicate.bind(this.redis);
    this.redis.duplicate = (override) => {
      const another = duplicate(override);
      another.on('error', () => {});
      this.connections.push(another);
      return another;
    };
  }

  /** Begins to count commands. */
  arm(): void {
    this.count = 0;
  }

  /** Stops counting commands. */
  disarm(): void {
    this.count = undefined;
  }

  /** Number of commands since `arm`. */
  get commands(): number {
    return this.count ?? 0;
  }

  /** From now on no command is sent, as if the process were frozen or dead. */
  freeze(): void {
    this.gate ??= deferred();
  }

  /** Sends all commands that were held back. */
  wake(): void {
    this.gate?.resolve();
    this.gate = undefined;
  }

  close(): void {
    for (const connection of [this.redis, ...this.connections]) connection.disconnect();
  }
}

/** Number of hand-overs that are tried at once: each one mostly waits. */
const AT_ONCE = 12;

/**
 * Hands over before each command in turn: calls `handOver` with 0, 1, 2 and so on until one resolves to
 * false, because there is no such command. Resolves to how many were begun.
 */
export async function beforeEachCommand(
  handOver: (step: number) => Promise<boolean>,
): Promise<number> {
  let next = 0;
  let isOver = false;
  const work = async () => {
    while (!isOver) {
      const step = next++;
      if (!(await handOver(step))) isOver = true;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return next;
}
