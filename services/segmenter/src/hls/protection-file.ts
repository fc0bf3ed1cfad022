import {
  protectionSchema,
  type ProtectionChange,
} from '@facecast/shared/protocol/recording-folder';
import type { RetryOnDiskFull } from '@facecast/shared/runtime/retry-on-disk-full';
import { readIfThere, writeWholeNow } from '../atomic-files.js';

/** Maximum number of changes that are kept; frames after more changes count as showing faces. */
const MAX_CHANGES = 1_000;

/**
 * The file that records how a session's viewers are protected from which frame on. It is rewritten with
 * each change.
 */
export class ProtectionFile {
  private constructor(
    private readonly path: string,
    private readonly volume: Pick<RetryOnDiskFull, 'write'>,
    private changes: readonly ProtectionChange[],
  ) {}

  /** Opens, or resumes, the file of a session; it is made with the first note. */
  static async open(path: string, volume: Pick<RetryOnDiskFull, 'write'>): Promise<ProtectionFile> {
    const text = await readIfThere(path);
    const changes = text ? protectionSchema.parse(JSON.parse(text.toString())) : [];
    return new ProtectionFile(path, volume, changes);
  }

  /** Records how viewers are protected from a frame on; to be called before that frame is listed. */
  async note(change: ProtectionChange): Promise<void> {
    const changes = withChange(this.changes, change);
    if (changes === this.changes) return;
    const text = JSON.stringify(changes);
    await this.volume.write(async () => writeWholeNow(this.path, text));
    this.changes = changes;
  }
}

/** The changes with one more; a predecessor's changes for frames from there on are dropped. */
export function withChange(
  changes: readonly ProtectionChange[],
  change: ProtectionChange,
): readonly ProtectionChange[] {
  const before = changes.filter(({ fromFrame }) => fromFrame < change.fromFrame);
  const last = before.at(-1);
  const isNew = last?.effect !== change.effect || last.hidden !== change.hidden;
  if (before.length >= MAX_CHANGES) {
    return isNew ? [...before.slice(0, -1), { ...last!, effect: 'none', hidden: false }] : before;
  }
  if (!isNew) return before.length === changes.length ? changes : before;
  return [...before, change];
}
