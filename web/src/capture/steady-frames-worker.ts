import { STEADY_FPS, type SteadyStreams } from './steady-streams.js';

addEventListener('message', ({ data }: MessageEvent<SteadyStreams>) => repeatNewest(data), {
  once: true,
});

/** Writes the newest picture at a steady pace, again and again until there is a newer one. */
function repeatNewest({ readable, writable }: SteadyStreams): void {
  // A copy of a frame keeps the time of its capture whatever timestamp it is given, and a recorder
  // drops what was captured at the same time: hence a canvas between the two.
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext('2d', { alpha: false });
  const writer = writable.getWriter();
  let drawn = false;

  const pace = setInterval(() => {
    // A consumer that is behind gets no backlog.
    if (!drawn || (writer.desiredSize ?? 0) <= 0) return;
    const timestamp = Math.round(performance.now() * 1000);
    writer.write(new VideoFrame(canvas, { timestamp })).catch(() => clearInterval(pace));
  }, 1000 / STEADY_FPS);

  const draw = new WritableStream<VideoFrame>({
    write(frame) {
      if (canvas.width !== frame.displayWidth || canvas.height !== frame.displayHeight) {
        canvas.width = frame.displayWidth;
        canvas.height = frame.displayHeight;
      }
      context?.drawImage(frame, 0, 0);
      frame.close();
      drawn = true;
    },
  });
  readable.pipeTo(draw).catch(() => clearInterval(pace));
}
