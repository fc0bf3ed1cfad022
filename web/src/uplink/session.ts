/** What the server told about the session that it started. */
export interface Session {
  sessionId: string;
  playlistUrl: string;
  watchUrl: string;
  /** Where a recording is kept: its MP4, for how long, and what lets one delete it. */
  recording?: { url: string; keptHours: number; resumeToken: string };
}
