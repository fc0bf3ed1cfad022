import { FileRecording, fileMimeType, type FileRecordingEvents } from './file-recording.js';
import { MediaFile } from './media-file.js';

/** A file whose own packets can be sent. */
export interface SendableFile {
  /** As what it is sent. */
  mimeType: string;
  /** Sends it from so many seconds on, at its own speed. */
  record(from: number, events: FileRecordingEvents): FileRecording;
  close(): void;
}

/** Undefined where it is nothing that could be sent so. */
export async function openSendableFile(
  ...choice: Parameters<typeof MediaFile.open>
): Promise<SendableFile | undefined> {
  const media = await MediaFile.open(...choice);
  return (
    media && {
      mimeType: fileMimeType(media),
      record: (from, events) => new FileRecording(media, from, events),
      close: () => media.close(),
    }
  );
}
