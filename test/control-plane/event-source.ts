/** A reader of server-sent events that remembers them. */
export interface EventReader {
  readonly status: number;
  readonly contentType: string | null;
  readonly events: Array<{ name: string; id?: string; data: Record<string, unknown> }>;
  readonly ended: boolean;
  close(): void;
}

/** Resolves when the head of the response has come. */
export async function readEvents(url: string, headers: Record<string, string>): Promise<EventReader> {
  const abort = new AbortController();
  const response = await fetch(url, { headers, signal: abort.signal });
  const reader = {
    status: response.status,
    contentType: response.headers.get('content-type'),
    events: [] as EventReader['events'],
    ended: false,
    close: () => abort.abort(),
  };
  void follow(response, reader).catch(() => undefined).finally(() => (reader.ended = true)); // prettier-ignore
  return reader;
}

async function follow(response: Response, { events }: Pick<EventReader, 'events'>): Promise<void> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const lines = text.slice(0, end).split('\n');
      text = text.slice(end + 2);
      const field = (name: string) =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const data = field('data');
      if (data === undefined) continue;
      events.push({
        name: field('event') ?? 'message',
        id: field('id'),
        data: JSON.parse(data) as Record<string, unknown>,
      });
    }
  }
}
