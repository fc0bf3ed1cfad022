import { expect, test } from 'vitest';
import { framesShown, goLive, newPage } from '../support/browser.js';
import { stackAndCamera } from '../support/fixtures.js';

const live = stackAndCamera();

test('the stream is pushed to the page, and comes as HLS where a proxy lets no WebSocket of it through', async () => {
  const publisher = await newPage(live.browser);
  await publisher.goto(live.stack.url);
  await goLive(publisher);
  await expect.poll(() => publisher.getByTestId('delivery').textContent()).toBe('Pushed');
  const link = (await publisher.getByTestId('watch-link').getAttribute('href')) ?? '';

  const viewer = await newPage(live.browser);
  const playlists: string[] = [];
  viewer.on('request', (request) => {
    if (request.url().includes('.m3u8')) playlists.push(request.url());
  });
  await viewer.goto(link);
  await framesShown(viewer, 'processed', 30);
  expect(playlists).toEqual([]);

  const behindProxy = await newPage(live.browser);
  await behindProxy.routeWebSocket(/\/live\//, (socket) => socket.close({ code: 1008 }));
  await behindProxy.goto(link);
  const playlist = behindProxy.waitForRequest(/\/hls\/[^/]+\/live\.m3u8/);
  await framesShown(behindProxy, 'processed', 30);
  await playlist;
  for (const page of [publisher, viewer, behindProxy]) await page.close();
});

test('a viewer whose connection breaks sees the stream go on, pushed as before', async () => {
  const publisher = await newPage(live.browser);
  await publisher.goto(live.stack.url);
  await goLive(publisher);
  const viewer = await newPage(live.browser);
  const breaking = new AbortController();
  let connections = 0;
  await viewer.routeWebSocket(/\/live\//, (socket) => {
    connections++;
    const server = socket.connectToServer();
    if (connections > 1) return;
    breaking.signal.addEventListener('abort', () => {
      void server.close();
      void socket.close({ code: 1012 });
    });
  });
  await viewer.goto((await publisher.getByTestId('watch-link').getAttribute('href')) ?? '');
  await framesShown(viewer, 'processed', 30);
  breaking.abort();
  await expect.poll(() => connections).toBe(2);
  await framesShown(viewer, 'processed', 60);
  expect(await viewer.getByTestId('state').innerText()).toMatch(/^Live/);
  await viewer.close();
  await publisher.close();
});
