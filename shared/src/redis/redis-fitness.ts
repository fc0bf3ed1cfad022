/** Refusals by `redis_mode`, for a Redis that is no single server. */
const OTHER_MODES: Record<string, string> = {
  sentinel: 'this is a Sentinel, which keeps no data: name the Redis that it watches',
  cluster:
    'this is a node of a Redis Cluster, which takes only a part of the keys: name a Redis of its own',
};

/**
 * Why a Redis cannot be used for sessions; undefined if it can.
 *
 * @param info its answer to INFO, which managed services give that forbid CONFIG
 */
export function whyUnfit(info: string): string | undefined {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const mode = OTHER_MODES[field('redis_mode') ?? ''];
  if (mode !== undefined) return mode;
  const policy = field('maxmemory_policy') ?? 'noeviction';
  if (policy === 'noeviction' || Number(field('maxmemory') ?? 0) === 0) return undefined;
  return (
    `this Redis throws keys away when its memory is full (maxmemory-policy ${policy}), and with them parts of ` +
    `running sessions: set maxmemory-policy noeviction, or maxmemory 0`
  );
}
