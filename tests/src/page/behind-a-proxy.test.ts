import { readFileSync } from 'node:fs';
import { freePort } from '@facecast/shared/testing/free-port';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { framesShown, goLive, newPage } from '../support/browser.js';
import { stackAndCamera } from '../support/fixtures.js';
import { hasNginx, startNginx } from '../support/nginx.js';

const guide = readFileSync(new URL('../../../docs/behind-a-proxy.md', import.meta.url), 'utf8');
const [, recipe = ''] = /```nginx\n([^]*?)```/.exec(guide) ?? [];

/** A stack, and an nginx in front of it that serves it under a path, which it passes on or takes off. */
function stackBehindNginx(path: string, passedOn: string, env: Record<string, string>) {
  const live = stackAndCamera(env);
  const proxy = { live, address: '' };
  let nginx: Awaited<ReturnType<typeof startNginx>> | undefined;
  beforeAll(async () => {
    const port = await freePort();
    const http = recipe
      .replace('listen 8080;', `listen 127.0.0.1:${port};`)
      .replace('/facecast/', path)
      .replace('http://127.0.0.1:4000', live.stack.url + passedOn);
    nginx = await startNginx(http, port);
    proxy.address = `http://127.0.0.1:${port}${path}`;
  });
  afterAll(() => nginx?.stop());
  return proxy;
}

describe.skipIf(!hasNginx)('under a path that nginx passes on', () => {
  const proxy = stackBehindNginx('/facecast/', '', { BASE_PATH: '/facecast', TRUST_PROXY: '1' });

  test('the page publishes, and an invitation plays for whoever has it', async () => {
    const { live, address } = proxy;
    const publisher = await newPage(live.browser);
    await publisher.goto(address);
    await publisher.getByTestId('audience').selectOption('private');
    await goLive(publisher);
    const link = publisher.getByTestId('watch-link');
    await expect.poll(() => link.getAttribute('href')).toContain('?link=');
    const href = (await link.getAttribute('href')) ?? '';
    expect(href.startsWith(`${address}watch/`)).toBe(true);

    const viewer = await newPage(live.browser);
    await viewer.goto(href);
    expect(viewer.url()).toBe(href.split('?')[0]);
    await framesShown(viewer, 'processed', 30);

    const stranger = await newPage(live.browser);
    expect((await stranger.goto(viewer.url()))?.status()).toBe(403);
    for (const page of [publisher, viewer, stranger]) await page.close();
  });
});

describe.skipIf(!hasNginx)('under a path that nginx takes off', () => {
  const proxy = stackBehindNginx('/elsewhere/', '/', { BASE_PATH: '/elsewhere' });

  test('the page publishes, and its link plays', async () => {
    const { live, address } = proxy;
    const publisher = await newPage(live.browser);
    await publisher.goto(address);
    await goLive(publisher);
    const href = (await publisher.getByTestId('watch-link').getAttribute('href')) ?? '';
    expect(href.startsWith(`${address}watch/`)).toBe(true);

    const viewer = await newPage(live.browser);
    await viewer.goto(href);
    await framesShown(viewer, 'processed', 30);
    for (const page of [publisher, viewer]) await page.close();
  });
});
