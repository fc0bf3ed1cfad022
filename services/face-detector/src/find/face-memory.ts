import { KEY_PREFIX, type Redis } from '@facecast/shared/redis';
import { knowledgeSchema, type Knowledge } from './knowledge.js';

/** Knowledge older than this is of no use: faces have moved on. */
const LIFETIME_MS = 1_000;

/**
 * What any replica last knew of each session's faces, so that whichever gets the next batch need not
 * search it as a whole. In Redis, one short-lived hash a session; nobody has to remove it.
 */
export class FaceMemory {
  constructor(private readonly redis: Redis) {}

  /** The knowledge of the newest batch, or undefined where there is none that is fresh. */
  async load(sessionId: string): Promise<Knowledge | undefined> {
    const text = await this.redis.hget(memoryKey(sessionId), 'knowledge');
    return text === null ? undefined : parse(text);
  }

  /** Keeps what was known after `batch`, unless that of a newer batch is there already. */
  async save(sessionId: string, batch: number, knowledge: Knowledge): Promise<void> {
    await this.redis.eval(
      SAVE_NEWER,
      1,
      memoryKey(sessionId),
      batch,
      JSON.stringify(knowledge),
      LIFETIME_MS,
    );
  }
}

const SAVE_NEWER = `
local batch = redis.call('HGET', KEYS[1], 'batch')
if batch and tonumber(batch) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'batch', ARGV[1], 'knowledge', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`;

function memoryKey(sessionId: string): string {
  return `${KEY_PREFIX}:faces:${sessionId}`;
}

/** Knowledge that cannot be read, perhaps of another version, is none. */
function parse(text: string): Knowledge | undefined {
  try {
    return knowledgeSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
