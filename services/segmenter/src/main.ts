import { mkdir } from 'node:fs/promises';
import { redisCheck, serveOps, writableCheck } from '@facecast/shared/runtime/health';
import { createLogger } from '@facecast/shared/runtime/logger';
import { connectRedis } from '@facecast/shared/redis/redis';
import { runService } from '@facecast/shared/runtime/service';
import { cadenceOf } from '@facecast/shared/runtime/settings';
import { readSegmenterConfig } from './config.js';
import { createSegmenterMetrics } from './metrics.js';
import { Segmenter } from './segmenter.js';

await runService(async () => {
  const config = readSegmenterConfig();
  const log = createLogger('segmenter', config.LOG_LEVEL);
  const hlsDir = config.HLS_DIR;
  await mkdir(hlsDir, { recursive: true });
  const redis = connectRedis(config.REDIS_URL, 'worker', log);
  const metrics = createSegmenterMetrics();
  const segmenter = new Segmenter(
    {
      hlsDir,
      framesDir: config.FRAMES_DIR,
      recordingsDir: config.RECORDINGS_DIR,
      recordingRetentionMs: config.RECORDING_RETENTION_HOURS * 3_600_000,
      recordingMinFreeBytes: config.RECORDING_MIN_FREE_MB * 1_000_000,
      cadence: cadenceOf(config),
      windowSeconds: config.WINDOW_SECONDS,
      retentionMs: config.RETENTION_MINUTES * 60_000,
      sessionsPerReplica: config.SESSIONS_PER_REPLICA,
    },
    redis,
    metrics,
    log,
  );
  const ops = await serveOps({
    port: config.OPS_PORT,
    checks: {
      redis: redisCheck(redis),
      hls: writableCheck(hlsDir),
      room: () => segmenter.checkFreeSpace(),
    },
    metrics: metrics.registry,
  });
  log.info({ opsPort: ops.port }, 'ready');
  return {
    log,
    close: async () => {
      await segmenter.close();
      await ops.close();
      redis.disconnect();
    },
  };
});
