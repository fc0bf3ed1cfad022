import type { Page } from 'playwright-core';

/**
 * A camera that shows the time: `getUserMedia` is replaced by a canvas whose top edge carries the
 * milliseconds of the wall clock as 20 black or white squares, the most significant bit at the left.
 * A player's picture of it, read back, says how old the picture is.
 */
const BITS = 20;
const SQUARE = 32;

/** Replaces the camera of every page that `page` loads from now on. `face` is a data URL. */
export async function installClockCamera(page: Page, face: string): Promise<void> {
  await page.addInitScript(
    ({ bits, square, picture }) => {
      navigator.mediaDevices.getUserMedia = async () => {
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [640, 480];
        const context = canvas.getContext('2d');
        if (!context) throw new Error('no canvas');
        const image = new Image(400, 400);
        image.src = picture;
        await image.decode();
        const face = await createImageBitmap(image, { resizeWidth: 400, resizeHeight: 400 });
        let painted = 0;
        const draw = () => {
          requestAnimationFrame(draw);
          // A camera gives 30 pictures a second, not as many as the screen.
          if (painted++ % 2 === 1) return;
          const now = Date.now() % 2 ** bits;
          context.fillStyle = '#406080';
          context.fillRect(0, 0, 640, 480);
          context.drawImage(face, 120 + 100 * Math.sin(now / 1000), 60);
          for (let bit = 0; bit < bits; bit++) {
            context.fillStyle = (now >> (bits - 1 - bit)) & 1 ? '#fff' : '#000';
            context.fillRect(bit * square, 0, square, square);
          }
        };
        draw();
        return canvas.captureStream(30);
      };
    },
    { bits: BITS, square: SQUARE, picture: face },
  );
}

/** What a player was seen to do, each `everyMs` for `seconds`. */
export interface Observation {
  /** Age of the shown picture in milliseconds, one for each look. */
  ages: number[];
  /** What the page itself says of that, in seconds; where it says anything. */
  shown: number[];
  /** Playback rate at each look. */
  rates: number[];
  /** How often the player ran dry. */
  stalls: number;
}

/** Watches the `<video>` that `selector` names, in the page itself, so that there is one clock. */
export async function observe(
  page: Page,
  selector: string,
  options: { seconds: number; everyMs: number },
): Promise<Observation> {
  return page.evaluate(
    async ({ selector, seconds, everyMs, bits, square }) => {
      const video = document.querySelector<HTMLVideoElement>(selector);
      if (!video) throw new Error(`no ${selector}`);
      const canvas = new OffscreenCanvas(bits * square, square);
      const context = canvas.getContext('2d', { willReadFrequently: true });
      if (!context) throw new Error('no canvas');
      const ages: number[] = [];
      const rates: number[] = [];
      const shown: number[] = [];
      const figure = document.querySelector<HTMLElement>('[data-testid="latency"]');
      let stalls = 0;
      const stalled = () => stalls++;
      video.addEventListener('waiting', stalled);
      for (let look = 0; look < (seconds * 1000) / everyMs; look++) {
        await new Promise((resolve) => setTimeout(resolve, everyMs));
        context.drawImage(video, 0, 0, 640, square, 0, 0, 640, square);
        const seen = Date.now();
        const { data } = context.getImageData(0, 0, canvas.width, square);
        let time = 0;
        for (let bit = 0; bit < bits; bit++) {
          const pixel = (square / 2) * canvas.width + bit * square + square / 2;
          time = time * 2 + ((data[4 * pixel] ?? 0) > 127 ? 1 : 0);
        }
        ages.push((seen - time + 2 ** bits) % 2 ** bits);
        const says = Number.parseFloat(figure?.innerText ?? '');
        if (!Number.isNaN(says)) shown.push(says);
        rates.push(video.playbackRate);
      }
      video.removeEventListener('waiting', stalled);
      return { ages, shown, rates, stalls };
    },
    { selector, ...options, bits: BITS, square: SQUARE },
  );
}
