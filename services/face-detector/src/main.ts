import { mkdir } from 'node:fs/promises';
import { DirectoryFrameStore } from '@facecast/shared/media/frame-store';
import { isFull } from '@facecast/shared/runtime/retry-on-disk-full';
import { redisCheck, serveOps, writableCheck } from '@facecast/shared/runtime/health';
import { createLogger } from '@facecast/shared/runtime/logger';
import { RenderedBatchLog } from '@facecast/shared/redis/rendered-batch-log';
import { createMetrics } from '@facecast/shared/runtime/metrics';
import { consume } from '@facecast/shared/redis/queues';
import { connectRedis, warnUnlessOutage } from '@facecast/shared/redis/redis';
import { runService } from '@facecast/shared/runtime/service';
import { readFaceDetectorConfig } from './config.js';
import { Detector } from './detector.js';
import { createFinder } from './finders/create-finder.js';
import { createDetectorMetrics } from './metrics.js';
import { scheduleAt } from './tracking/search-schedule.js';
import { TrackerStateStore } from './tracking/tracker-state-store.js';
import { warmUp } from './warm-up.js';

await runService(async () => {
  const config = readFaceDetectorConfig();
  const log = createLogger('face-detector', config.LOG_LEVEL);
  const registry = createMetrics('face-detector');
  const metrics = createDetectorMetrics(registry);
  const finder = await createFinder(config);
  const schedule = scheduleAt(config.FPS);
  await warmUp(finder, schedule);
  await mkdir(config.FRAMES_DIR, { recursive: true });
  const redis = connectRedis(config.REDIS_URL, 'worker', log);
  const detector = new Detector({
    frameStore: new DirectoryFrameStore(config.FRAMES_DIR),
    renderedLog: new RenderedBatchLog(redis),
    finder,
    states: new TrackerStateStore(redis),
    schedule,
    metrics,
    log,
  });
  const worker = consume(redis, { kind: 'detect' }, (job) => detector.render(job));
  worker.on('error', (error) => warnUnlessOutage(log, error, 'trouble with the queue'));
  worker.on('failed', (job, error) => {
    metrics.failures.inc({ what: 'batch' });
    if (!isFull(error)) log.error({ job: job?.data as unknown, err: error }, 'a batch failed');
  });
  const ops = await serveOps({
    port: config.OPS_PORT,
    checks: {
      redis: redisCheck(redis),
      frames: writableCheck(config.FRAMES_DIR),
      search: () => detector.checkSearch(),
    },
    metrics: registry,
  });
  if (config.FACE_FINDER === 'auto' && finder.name !== 'yunet')
    log.warn(
      { finder: finder.name, missing: config.YUNET_MODEL },
      'the network of YuNet is missing: BlazeFace searches instead, and finds fewer faces',
    );
  log.info({ port: ops.port, finder: finder.name }, 'ready');
  return {
    log,
    close: async () => {
      await worker.close();
      await ops.close();
      redis.disconnect();
    },
  };
});
