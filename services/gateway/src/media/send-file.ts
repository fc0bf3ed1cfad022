import type { IncomingMessage, ServerResponse } from 'node:http';
import { deferred } from '@facecast/shared/runtime/deferred';
import send from 'send';

/**
 * Answers with a file of the directory `root`, or the requested range of it; if there is none, resolves to
 * false and answers nothing.
 */
export async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: { root: string; path: string; headers: Record<string, string> },
): Promise<boolean> {
  const { promise, resolve, reject } = deferred();
  response.once('close', resolve);
  send(request, file.path, { root: file.root })
    .on('headers', () => {
      for (const [name, value] of Object.entries(file.headers)) response.setHeader(name, value);
    })
    .on('end', resolve)
    .on('error', reject)
    .pipe(response);
  try {
    await promise;
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
