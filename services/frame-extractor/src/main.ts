import { mkdir } from 'node:fs/promises';
import { DirectoryFrameStore } from '@facecast/shared/media/frame-store';
import { redisCheck, serveOps, writableCheck } from '@facecast/shared/runtime/health';
import { createLogger } from '@facecast/shared/runtime/logger';
import { createMetrics } from '@facecast/shared/runtime/metrics';
import { connectRedis } from '@facecast/shared/redis/redis';
import { runService } from '@facecast/shared/runtime/service';
import { readFrameExtractorConfig } from './config.js';
import { Extractor } from './extractor.js';
import { createExtractorMetrics } from './metrics.js';

await runService(async () => {
  const config = readFrameExtractorConfig();
  const log = createLogger('frame-extractor', config.LOG_LEVEL);
  const registry = createMetrics('frame-extractor');
  await mkdir(config.FRAMES_DIR, { recursive: true });
  const redis = connectRedis(config.REDIS_URL, 'worker', log);
  const extractor = await Extractor.start({
    config,
    redis,
    frameStore: new DirectoryFrameStore(config.FRAMES_DIR),
    metrics: createExtractorMetrics(registry),
    log,
  });
  const ops = await serveOps({
    port: config.OPS_PORT,
    checks: {
      redis: redisCheck(redis),
      frames: writableCheck(config.FRAMES_DIR),
      room: () => extractor.checkFreeSpace(),
    },
    metrics: registry,
  });
  log.info({ port: ops.port }, 'ready');
  return {
    log,
    close: async () => {
      await extractor.close();
      await ops.close();
      redis.disconnect();
    },
  };
});
