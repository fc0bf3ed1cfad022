import type { Session } from '@facecast/shared/redis/sessions';
import { declaredContainer } from '../demux/container.js';
import type { FailureReason } from '../decode-failure.js';
import type { Progress, ProgressStore } from './checkpoint-store.js';
import type { RecoveryPoint } from './keyframe-tracker.js';

/** From where a session's decoding goes on. */
export interface TakeUp {
  point: RecoveryPoint;
  /** Of the recording, where the point is not its beginning. */
  header: Buffer | undefined;
}

/** Where the session's last holder came to, or its beginning; the reason where it cannot be gone on with. */
export async function whereToTakeUp(
  store: Pick<ProgressStore, 'loadHeader'>,
  { id, mimeType }: Session,
  progress: Progress,
): Promise<TakeUp | FailureReason> {
  const container = declaredContainer(mimeType);
  if (!container) return 'unknown_type';
  const beginning: RecoveryPoint = { container, chunk: 0, offset: 0, rate: { next: 0 } };
  const { recovery: point = beginning } = progress;
  const header = point?.keyFrame && (await store.loadHeader(id));
  return !point || (point.keyFrame && !header) ? 'no_way_back' : { point, header };
}
