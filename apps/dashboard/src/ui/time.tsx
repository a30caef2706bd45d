import { ago, moment } from './format';

/** How long ago; the exact moment on the pointer and for machines. */
export function Ago({ at }: { at: string }) {
  return (
    <time dateTime={at} title={moment(at)}>
      {ago(at)}
    </time>
  );
}
