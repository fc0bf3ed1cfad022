import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { framesShown, launchChromium } from '../support/browser.js';
import { startStack } from '../support/stack.js';
import { startAncestor } from './ancestor.js';
import { installClockCamera, observe, type Observation } from './clock-camera.js';
import { quantile, table } from './tables.js';
import { Viewer } from './viewer.js';

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 60);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
const EVERY_MS = 200;
const VIDEO = '[data-testid="processed"]';
/** Seconds until a player has found its place behind the live edge. */
const SETTLING_SECONDS = 10;
const VIEWERS = 20;

/** How the camera's frames reach the server, how the stream reaches the page, and how many viewers watch besides. */
interface Row {
  capture: 'per frame' | 'MediaRecorder';
  delivery: 'pushed' | 'HLS';
  viewers: number;
}
type Measured = Observation & { firstPictureMs: number };

const ROWS: Row[] = [
  { capture: 'per frame', delivery: 'pushed', viewers: 0 },
  { capture: 'MediaRecorder', delivery: 'pushed', viewers: 0 },
  { capture: 'per frame', delivery: 'HLS', viewers: 0 },
  { capture: 'per frame', delivery: 'pushed', viewers: VIEWERS },
];

/** Camera to eye, ours in rounds of all rows, and the ancestor's way, in the same browser on the same machine. */
export async function benchLatency(): Promise<string> {
  const picture = await readFile(new URL('../../fixtures/astronaut.jpg', import.meta.url));
  const face = `data:image/jpeg;base64,${picture.toString('base64')}`;
  const browser = await launchChromium('/dev/null');
  try {
    const ours = ROWS.map(() => [] as Measured[]);
    const stack = await startStack();
    try {
      for (let round = 0; round < ROUNDS; round++)
        for (const [n, row] of ROWS.entries())
          ours[n]!.push(await measure(browser, stack.url, face, row));
    } finally {
      await stack.stop();
    }
    const directory = await mkdtemp(join(tmpdir(), 'facecast-ancestor-'));
    const ancestor = await startAncestor(directory);
    const theirs = await measure(browser, ancestor.url, face, ROWS[0]!).finally(async () => {
      ancestor.close();
      await rm(directory, { recursive: true, force: true });
    });
    return table(
      [
        ...[`camera to eye, medians of ${ROUNDS}`, 'p50 s', 'p95 s', 'max s', 'as the page says'],
        ...['stalls', 'rate at the end', 'first picture s'],
      ],
      [
        ...ROWS.map(({ capture, delivery, viewers }, n) =>
          line(`faces outlined, ${capture}, ${delivery}, ${viewers} more viewers`, ours[n]!),
        ),
        line("the ancestor's way, no faces", [theirs]),
      ],
    );
  } finally {
    await browser.close();
  }
}

async function measure(
  browser: Browser,
  url: string,
  face: string,
  { capture, delivery, viewers }: Row,
): Promise<Measured> {
  const page = await browser.newPage();
  if (delivery === 'HLS')
    await page.routeWebSocket(/\/live\//, (socket) => socket.close({ code: 1008 }));
  if (capture === 'MediaRecorder')
    await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'MediaStreamTrackProcessor'));
  await installClockCamera(page, face);
  await page.goto(url);
  let started = Date.now();
  await page.getByTestId('start').click();
  const goLive = page.getByTestId('go-live');
  // The other pipeline's page is live at once.
  if ((await goLive.count()) > 0) {
    await goLive.waitFor();
    await page.getByTestId('effect').selectOption('box');
    started = Date.now();
    await goLive.click();
    await page.getByTestId('state').getByText(/^Live/).waitFor();
  }
  await framesShown(page, 'processed', 1);
  const firstPictureMs = Date.now() - started;
  const leaving = new AbortController();
  const watching = watchToo(page, viewers, leaving.signal);
  await observe(page, VIDEO, { seconds: SETTLING_SECONDS, everyMs: EVERY_MS });
  const seen = await observe(page, VIDEO, { seconds: SECONDS, everyMs: EVERY_MS });
  leaving.abort();
  await watching;
  await page.close();
  return { ...seen, firstPictureMs };
}

/** Low-latency players of what `page` publishes, in this process; resolves when they have left. */
async function watchToo(page: Page, count: number, signal: AbortSignal): Promise<void> {
  if (count === 0) return;
  const link = await page.getByTestId('watch-link').getAttribute('href');
  const { origin, pathname } = new URL(link ?? '');
  const sessionId = pathname.replace('/watch/', '');
  const viewers = Array.from({ length: count }, () => new Viewer(origin, sessionId));
  await Promise.all(viewers.map((viewer) => viewer.watch(signal)));
}

/** A row of the table: the median of each figure over the rounds. */
function line(name: string, rounds: Measured[]): string[] {
  const median = (figure: (seen: Measured) => number) => quantile(rounds.map(figure), 0.5);
  const seconds = (figure: (seen: Measured) => number) => (median(figure) / 1000).toFixed(2);
  const shown = rounds.flatMap((seen) => seen.shown);
  return [
    name,
    ...[0.5, 0.95, 1].map((part) => seconds(({ ages }) => quantile(ages, part))),
    shown.length > 0 ? quantile(shown, 0.5).toFixed(1) : '-',
    String(median(({ stalls }) => stalls)),
    median(({ rates }) => rates.at(-1) ?? NaN).toFixed(2),
    seconds(({ firstPictureMs }) => firstPictureMs),
  ];
}
