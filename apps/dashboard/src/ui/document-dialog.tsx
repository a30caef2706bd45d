import { useState } from 'react';
import { FormDialog } from './dialog';
import { TextArea } from './field';

interface DocumentDialogProps {
  title: string;
  hint?: string;
  value: unknown;
  busy: boolean;
  error: unknown;
  onSave: (value: unknown) => void;
  onClose: () => void;
}

/** A document as JSON, for what has more fields than a form would make clear. */
export function DocumentDialog({ title, hint, value, busy, error, onSave, onClose }: DocumentDialogProps) {
  const [text, setText] = useState(() => JSON.stringify(value, null, 2));
  const [broken, setBroken] = useState<string>();
  const save = () => {
    try {
      const parsed = JSON.parse(text) as unknown;
      setBroken(undefined);
      onSave(parsed);
    } catch (reason) {
      setBroken((reason as Error).message);
    }
  };
  return (
    <FormDialog title={title} wide submit="Save" busy={busy} error={error} onSubmit={save} onClose={onClose}>
      <TextArea label="JSON" required rows={18} value={text} onChange={setText} hint={hint} error={broken} />
    </FormDialog>
  );
}
