import { Button } from './button';
import { Secret } from './copy';
import { Dialog, DialogBody } from './dialog';
import { Notice } from './states';

interface SecretDialogProps {
  title: string;
  secret: string;
  onClose: () => void;
}

/** The one time that a key, a token or a secret can be seen. */
export function SecretDialog({ title, secret, onClose }: SecretDialogProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <DialogBody
        actions={
          <Button variant="primary" onClick={onClose}>
            Done
          </Button>
        }
      >
        <Notice tone="warn">Copy it now: it is shown this once and never again.</Notice>
        <Secret text={secret} label="Copy" />
      </DialogBody>
    </Dialog>
  );
}
