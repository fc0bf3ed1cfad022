import { createLogger } from '@facecast/shared/runtime/logger';
import { runService } from '@facecast/shared/runtime/service';
import { gatewayConfig } from './config.js';
import { startGateway } from './gateway.js';

await runService(async () => {
  const config = gatewayConfig();
  const log = createLogger('gateway', config.LOG_LEVEL);
  const { close } = await startGateway(config, log);
  return { log, close };
});
