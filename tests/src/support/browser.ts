import { chromium, type Browser, type Page } from 'playwright-core';
import type { PlayedFrame } from './playback.js';

/** Debian's Chromium, headless, whose camera shows the pictures of an MJPEG file. */
export async function launchChromium(camera: string): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--autoplay-policy=no-user-gesture-required',
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-video-capture=${camera}`,
    ],
  });
}

/** The picture that a `<video>` of the page shows at the moment. */
export async function shownFrame(page: Page, testId: string): Promise<PlayedFrame> {
  const { width, height, rgba } = await page.getByTestId(testId).evaluate((element) => {
    const video = element as HTMLVideoElement;
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
    const context = canvas.getContext('2d');
    if (!context) throw new Error('no canvas');
    context.drawImage(video, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let binary = '';
    for (let i = 0; i < data.length; i += 8192)
      binary += String.fromCharCode(...data.subarray(i, i + 8192));
    return { width: canvas.width, height: canvas.height, rgba: btoa(binary) };
  });
  const pixels = Buffer.from(rgba, 'base64');
  const rgb = Buffer.alloc(width * height * 3);
  for (let i = 0; i < width * height; i++) pixels.copy(rgb, 3 * i, 4 * i, 4 * i + 3);
  return { rgb, width, height };
}

/** Resolves when the `<video>` has shown `count` more frames. */
export async function framesShown(page: Page, testId: string, count: number): Promise<void> {
  await page.getByTestId(testId).evaluate(
    (element, wanted) =>
      new Promise<void>((resolve) => {
        const video = element as HTMLVideoElement;
        let left = wanted;
        const next = () => (--left <= 0 ? resolve() : video.requestVideoFrameCallback(next));
        video.requestVideoFrameCallback(next);
      }),
    count,
  );
}
