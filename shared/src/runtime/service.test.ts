import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const node = (script: string) => ['--input-type=module', '--eval', script];
const options = { cwd: import.meta.dirname };

const SERVICE = `
  import { createLogger } from '../../dist/runtime/logger.js';
  import { runService } from '../../dist/runtime/service.js';
  const log = createLogger('test', 'info');
  setInterval(() => {}, 1000);
  await runService(async () => ({ log, close: async () => console.log('closed') }));
  console.log('up');`;

test.each(['SIGTERM', 'SIGINT'] as const)('%s ends a service in order', async (signal) => {
  const service = spawn('node', node(SERVICE), {
    ...options,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  const up = new Promise<void>((resolve) =>
    service.stdout.on('data', (text) => {
      output += text;
      if (output.includes('up')) resolve();
    }),
  );
  await up;
  service.kill(signal);
  service.kill(signal);
  expect((await once(service, 'close'))[0]).toBe(0);
  expect(output.match(/closed/g)).toHaveLength(1);
});

test('a service ends with the supervisor that started it', async () => {
  const service = spawn('node', node(`${SERVICE} process.send('up');`), {
    ...options,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  await once(service, 'message');
  service.disconnect();
  expect((await once(service, 'exit'))[0]).toBe(0);
});

test('a bad setting ends a service at once, with a line that names it and an exit code of its own', async () => {
  const refused = run(
    'node',
    node(`
      import { z } from 'zod';
      import { readConfig } from '../../dist/runtime/config.js';
      import { OPS_PORT } from '../../dist/runtime/settings.js';
      import { runService } from '../../dist/runtime/service.js';
      await runService(async () => readConfig(z.object({ OPS_PORT }), { OPS_PORT: 'many' }));`),
    options,
  );
  await expect(refused).rejects.toMatchObject({
    code: 78,
    stderr: expect.stringMatching(/^OPS_PORT: .*\n$/) as string,
  });
});

test('an error that nobody caught ends the process, after closing', async () => {
  const died = run(
    'node',
    node(`${SERVICE} setTimeout(() => { throw new Error('oops'); });`),
    options,
  );
  await expect(died).rejects.toMatchObject({
    code: 1,
    // In either order: the log and the service write independently.
    stdout: expect.stringMatching(/^(?=[^]*oops)(?=[^]*closed)/) as string,
  });
});
