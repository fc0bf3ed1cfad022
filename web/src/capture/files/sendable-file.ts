import { AviFile } from './avi-file.js';
import { FileStream, type FileStreamEvents, type TimedBytes } from './file-stream.js';
import { MediaFile } from './media-file.js';
import { remuxed, remuxedType } from './remuxed.js';

/** A file whose own packets can be sent. */
export interface SendableFile {
  /** MIME type under which it is sent. */
  mimeType: string;
  /** Sends the file at its own speed, from the last key frame before this time (seconds) on. */
  stream(from: number, events: FileStreamEvents): FileStream;
  close(): void;
}

/** Opens a file for sending; undefined if it cannot be sent with its own packets. */
export async function openSendableFile(
  ...choice: Parameters<typeof MediaFile.open>
): Promise<SendableFile | undefined> {
  const media = await MediaFile.open(...choice);
  if (media)
    return sendable(
      remuxedType(media),
      (from) => remuxed(media, from),
      () => media.close(),
    );
  const avi = await AviFile.open(...choice);
  return avi && sendable('video/x-matroska', () => avi.remuxed());
}

function sendable(
  mimeType: string,
  packets: (from: number) => AsyncIterable<TimedBytes>,
  close = () => {},
): SendableFile {
  return {
    mimeType,
    stream: (from, events) => new FileStream(packets(from), events),
    close,
  };
}
