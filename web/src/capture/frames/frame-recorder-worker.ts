import { FrameEncoder } from './frame-encoder.js';
import type { FromWorker, ToWorker } from './messages.js';

let encoder: FrameEncoder | undefined;

addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === 'stop') void encoder?.stop().then(() => tell({ type: 'stopped' }));
  else
    encoder = new FrameEncoder(data, {
      onBytes: (bytes) => tell({ type: 'bytes', bytes }, [bytes]),
      onFailure: () => tell({ type: 'failed' }),
    });
});

function tell(message: FromWorker, transferred: Transferable[] = []): void {
  postMessage(message, { transfer: transferred });
}
